// SPDX-License-Identifier: Apache-2.0
#include "edge/consent/update_operations.hpp"

#include <gtest/gtest.h>

#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/recording_stream.hpp"

namespace andon::edge {
namespace {

using namespace std::chrono_literals;
using Refusal = UpdateOperations::Refusal;

class UpdateOperationsTest : public testing::Test {
 protected:
  UpdateOperationsTest() { updates_.add_to(operations_); }

  std::string call(const std::string& operation, const std::string& component,
                   std::string_view request = "{}",
                   std::shared_ptr<RecordingStream> stream = nullptr) {
    if (!stream) stream = std::make_shared<RecordingStream>();
    try {
      return base::to_text(operations_.at(operation).handle(
          {component, operation, base::parse_json(request, "request").as_object(), stream}));
    } catch (const IpcError& error) {
      return error.type();
    } catch (const base::Error& error) {
      return "Error: " + error.message();
    }
  }
  std::shared_ptr<RecordingStream> listen(const std::string& operation,
                                          const std::string& component) {
    auto stream = std::make_shared<RecordingStream>();
    EXPECT_EQ(call(operation, component, "{}", stream), "{}");
    return stream;
  }
  void announce() {
    updates_.announce("d1", UpdateOperations::Restart::components, 60s, [this] { agreed_ = true; });
    turn();
  }
  void turn(std::chrono::milliseconds by = 0ms) {
    clock_.advance(by);
    loop_.run_until([] { return false; }, 5ms);
  }
  std::string defer(const std::string& component, std::int64_t ms,
                    const std::string& deployment = "d1") {
    const std::string answer = call("DeferComponentUpdate", component,
                                    R"({"deploymentId":")" + deployment + R"(","recheckAfterMs":)" +
                                        std::to_string(ms) + R"(,"message":"the line runs"})");
    turn();
    return answer;
  }
  std::string report(const std::string& component, const std::string& status) {
    const std::string answer = call("SendConfigurationValidityReport", component,
                                    R"({"configurationValidityReport":{"deploymentId":"d1",)"
                                    R"("message":"no such file","status":")" +
                                        status + R"("}})");
    turn();
    return answer;
  }
  void validate() {
    updates_.validate("d1", {{"app", {{"model", "/b"}}}, {"deaf", {{"x", 1}}}}, 60s,
                      [this](const std::optional<Refusal>& refusal) {
                        validated_ = true;
                        refusal_ = refusal;
                      });
  }

  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  IpcOperations operations_;
  UpdateOperations updates_{loop_};
  bool agreed_ = false;
  bool validated_ = false;
  std::optional<Refusal> refusal_;
};

TEST_F(UpdateOperationsTest, WithoutListenersAnUpdateGoesOnAtOnce) {
  announce();
  EXPECT_TRUE(agreed_);
  validate();
  EXPECT_TRUE(validated_);
  EXPECT_FALSE(refusal_);
}

TEST_F(UpdateOperationsTest, AnUpdateWaitsForEachThatListensAndTellsThemItsEnd) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  const auto other = listen("SubscribeToComponentUpdates", "other");
  announce();
  ASSERT_EQ(app->events.size(), 1U);
  EXPECT_EQ(app->events.at(0),
            R"(ComponentUpdatePolicyEvents {"preUpdateEvent":{"deploymentId":"d1",)"
            R"("isGgcRestarting":false}})");
  EXPECT_EQ(defer("app", 0), "{}");
  EXPECT_FALSE(agreed_);
  EXPECT_NE(updates_.waits_for().find("other"), std::string::npos) << updates_.waits_for();
  EXPECT_EQ(defer("other", 0), "{}");
  EXPECT_TRUE(agreed_);
  EXPECT_EQ(updates_.waits_for(), "");
  updates_.tell_updated("d1");
  EXPECT_EQ(other->events.at(1),
            R"(ComponentUpdatePolicyEvents {"postUpdateEvent":{"deploymentId":"d1"}})");
}

TEST_F(UpdateOperationsTest, WhoSaysNothingWithinTheLimitAgrees) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  announce();
  turn(59s);
  EXPECT_FALSE(agreed_);
  turn(2s);
  EXPECT_TRUE(agreed_);
}

TEST_F(UpdateOperationsTest, WhoIsGoneHasNothingToSay) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  announce();
  app->close();
  EXPECT_TRUE(agreed_);
}

TEST_F(UpdateOperationsTest, ADeferredUpdateIsAnnouncedAgain) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  announce();
  EXPECT_EQ(defer("app", 5'000), "{}");
  EXPECT_FALSE(agreed_);
  EXPECT_NE(updates_.waits_for().find("app: the line runs"), std::string::npos);
  turn(4s);
  EXPECT_EQ(app->events.size(), 1U);
  turn(2s);
  EXPECT_EQ(app->events.size(), 2U);
  EXPECT_EQ(defer("app", 0), "{}");
  EXPECT_TRUE(agreed_);
}

TEST_F(UpdateOperationsTest, ADeferralHasAnEnd) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  announce();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(defer("app", std::chrono::milliseconds(10h).count()), "{}") << i;
    turn(10h + 1s);
  }
  EXPECT_EQ(app->events.size(), 4U);  // 10, 20, and the rest of 24 hours
  EXPECT_EQ(defer("app", 1'000), "{}");
  EXPECT_TRUE(agreed_);
}

TEST_F(UpdateOperationsTest, ADeferralThatNobodyWaitsForIsRefused) {
  EXPECT_EQ(defer("app", 0), "InvalidArgumentsError");
  const auto app = listen("SubscribeToComponentUpdates", "app");
  EXPECT_EQ(defer("app", 0), "InvalidArgumentsError");
  announce();
  EXPECT_EQ(defer("app", -1), "InvalidArgumentsError");
  EXPECT_EQ(defer("app", std::chrono::milliseconds(25h).count()), "InvalidArgumentsError");
  EXPECT_EQ(defer("app", 0, "d2"), "InvalidArgumentsError");
  EXPECT_EQ(defer("stranger", 0), "InvalidArgumentsError");
  EXPECT_FALSE(agreed_);
}

TEST_F(UpdateOperationsTest, AGivenUpQuestionIsNotAnswered) {
  const auto app = listen("SubscribeToComponentUpdates", "app");
  announce();
  updates_.give_up();
  turn(2min);
  EXPECT_FALSE(agreed_);
}

TEST_F(UpdateOperationsTest, OnlyThoseThatListenAreAskedWhetherTheyCanUseAConfiguration) {
  const auto app = listen("SubscribeToValidateConfigurationUpdates", "app");
  validate();
  ASSERT_EQ(app->events.size(), 1U);
  EXPECT_EQ(app->events.at(0), R"(ValidateConfigurationUpdateEvents )"
                               R"({"validateConfigurationUpdateEvent":{"configuration":)"
                               R"({"model":"/b"},"deploymentId":"d1"}})");
  EXPECT_FALSE(validated_);
  EXPECT_EQ(report("app", "MAYBE"), "InvalidArgumentsError");
  EXPECT_EQ(report("deaf", "ACCEPTED"), "InvalidArgumentsError");
  EXPECT_EQ(report("app", "ACCEPTED"), "{}");
  EXPECT_TRUE(validated_);
  EXPECT_FALSE(refusal_);
}

TEST_F(UpdateOperationsTest, AComponentThatRefusesItsConfigurationSaysWhy) {
  const auto app = listen("SubscribeToValidateConfigurationUpdates", "app");
  validate();
  EXPECT_EQ(report("app", "REJECTED"), "{}");
  ASSERT_TRUE(refusal_);
  EXPECT_EQ(refusal_->component, "app");
  EXPECT_EQ(refusal_->reason, "no such file");
}

TEST_F(UpdateOperationsTest, AComponentThatDoesNotAnswerRefuses) {
  const auto app = listen("SubscribeToValidateConfigurationUpdates", "app");
  validate();
  turn(61s);
  ASSERT_TRUE(refusal_);
  EXPECT_EQ(refusal_->component, "app");
  EXPECT_NE(refusal_->reason.find("60 s"), std::string::npos) << refusal_->reason;
}

}  // namespace
}  // namespace andon::edge
