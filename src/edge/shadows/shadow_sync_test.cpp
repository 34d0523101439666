// SPDX-License-Identifier: Apache-2.0
// Against a server that keeps shadows by the same library, and answers on the topics.
#include "edge/shadows/shadow_sync.hpp"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/settle.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

const ShadowKey kLine{"core", "line"};
const std::string kTopic = "$aws/things/core/shadow/name/line/";

class ShadowSyncTest : public testing::Test {
 protected:
  ShadowSyncTest() { make_sync(); }
  void make_sync() {
    sync_.reset();
    link_.forget_listeners();
    sync_ = std::make_unique<ShadowSync>(ShadowSync::Parts{
        loop_, link_, writer_, clock_, "core",
        [this](const std::string& topic, const auto&) { told_.push_back(topic); }});
  }
  void configure(const char* more = "") {
    const json::object configuration =
        base::parse_json(std::string(R"({"synchronize": {)") + more +
                             R"("coreThing": {"classic": false, "namedShadows": ["line"]}}})",
                         "test")
            .as_object();
    sync_->configure(&configuration);
  }
  void connect(bool up) {
    link_.connect(up);
    run();
  }
  // Until nobody has anything to say.
  void run() {
    for (int quiet = 0; quiet < 2;) {
      settle(loop_, writer_);
      if (link_.published.empty()) {
        ++quiet;
        continue;
      }
      quiet = 0;
      const auto messages = std::exchange(link_.published, {});
      for (const auto& one : messages) answer(one.message);
    }
  }
  void answer(const wire::MqttMessage& message) {
    const auto topic = fleet::parse_device_topic(message.topic);
    ASSERT_TRUE(topic) << message.topic;
    asked_.push_back(message.topic.substr(message.topic.rfind('/') + 1));
    if (is_deaf_) return;
    const json::object request = fleet::parse_shadow_request(message.payload);
    try {
      using fleet::DeviceMessage;
      fleet::ShadowStep step;
      if (topic->message == DeviceMessage::get_shadow) {
        step = fleet::get_shadow(server_, "line", request, 1);
      } else if (topic->message == DeviceMessage::update_shadow) {
        step = fleet::update_shadow(server_.value_or(fleet::Shadow{}), request, 1);
      } else {
        step = fleet::delete_shadow(server_, "line", request, 1);
      }
      server_ = step.shadow;
      link_.arrive(message.topic + "/accepted", base::to_text(step.accepted));
      for (const auto& [suffix, told] : step.told)
        link_.arrive(kTopic + suffix, base::to_text(told));
    } catch (const base::Error& error) {
      link_.arrive(message.topic + "/rejected",
                   base::to_text(fleet::shadow_rejection(error, request, 1)));
    }
  }
  // As somebody else does, at the server.
  void change_server(std::string_view state) {
    const auto step = fleet::update_shadow(server_.value_or(fleet::Shadow{}),
                                           {{"state", base::parse_json(state, "test")}}, 1);
    server_ = step.shadow;
    link_.arrive(kTopic + "update/accepted", base::to_text(step.accepted));
  }
  // As a component does.
  void change_own(std::string_view state) {
    database_->write([&](store::Transaction& transaction) {
      write_shadow(transaction, kLine,
                   fleet::update_shadow(read_shadow(transaction, kLine).value_or(fleet::Shadow{}),
                                        {{"state", base::parse_json(state, "test")}}, 1)
                       .shadow);
    });
    sync_->own_changed("core", "line");
  }
  void delete_own() {
    database_->write([&](store::Transaction& transaction) {
      write_shadow(transaction, kLine,
                   fleet::delete_shadow(read_shadow(transaction, kLine), "line", {}, 1).shadow);
    });
    sync_->own_changed("core", "line");
  }
  std::string own() {
    return database_->read([](store::Transaction& transaction) {
      const auto found = read_shadow(transaction, kLine);
      return found && !found->is_deleted ? base::to_text(found->state) : std::string("none");
    });
  }
  std::string at_server() const {
    return server_ && !server_->is_deleted ? base::to_text(server_->state) : "none";
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  StateWriter writer_{loop_, *database_};
  FakeMqttLink link_;
  base::FakeClock clock_;
  std::optional<fleet::Shadow> server_;
  bool is_deaf_ = false;
  std::vector<std::string> asked_;
  std::vector<std::string> told_;  // to components
  std::unique_ptr<ShadowSync> sync_;
};

TEST_F(ShadowSyncTest, WhatAComponentReportsReachesTheServerAndWhatIsDesiredThereTheComponent) {
  configure();
  connect(true);
  change_own(R"({"reported":{"speed":1}})");
  run();
  EXPECT_EQ(at_server(), R"({"reported":{"speed":1}})");
  change_server(R"({"desired":{"speed":2}})");
  run();
  EXPECT_EQ(own(), R"({"reported":{"speed":1},"desired":{"speed":2}})");
  EXPECT_NE(std::ranges::find(told_, kTopic + "update/delta"), told_.end());
  asked_.clear();
  run();
  EXPECT_TRUE(asked_.empty());
}

TEST_F(ShadowSyncTest, WhatChangedOnBothSidesWhileTheyWereApartComesTogetherAndTheServerWins) {
  configure();
  connect(true);
  change_own(R"({"reported":{"a":1,"b":1}})");
  run();
  connect(false);
  change_own(R"({"reported":{"a":2,"b":2}})");
  change_server(R"({"reported":{"b":3},"desired":{"c":4}})");
  make_sync();  // the agent was started again
  configure();
  connect(true);
  EXPECT_EQ(base::parse_json(own(), "own"), base::parse_json(at_server(), "server"));
  EXPECT_EQ(base::parse_json(own(), "own"),
            base::parse_json(R"({"reported":{"a":2,"b":3},"desired":{"c":4}})", "expected"));
}

TEST_F(ShadowSyncTest, AnUpdateThatMeetsANewerVersionIsMergedAndMadeAgain) {
  configure();
  connect(true);
  change_own(R"({"reported":{"a":1}})");
  run();
  // The server's word of it is lost on the way.
  server_ = fleet::update_shadow(*server_,
                                 {{"state", base::parse_json(R"({"desired":{"d":1}})", "test")}}, 1)
                .shadow;
  change_own(R"({"reported":{"a":2}})");
  run();
  EXPECT_EQ(base::parse_json(own(), "own"), base::parse_json(at_server(), "server"));
  EXPECT_EQ(base::parse_json(at_server(), "server"),
            base::parse_json(R"({"reported":{"a":2},"desired":{"d":1}})", "expected"));
}

TEST_F(ShadowSyncTest, ADeletionReachesTheOtherSide) {
  configure();
  connect(true);
  change_own(R"({"reported":{"a":1}})");
  run();
  delete_own();
  run();
  EXPECT_EQ(at_server(), "none");
  change_own(R"({"reported":{"a":1}})");
  run();
  EXPECT_EQ(at_server(), R"({"reported":{"a":1}})");
  server_ = fleet::delete_shadow(server_, "line", {}, 1).shadow;
  link_.arrive(kTopic + "delete/accepted", R"({"version":5,"timestamp":1})");
  run();
  EXPECT_EQ(own(), "none");
}

TEST_F(ShadowSyncTest, InOneDirectionTheOtherSideIsLeftAlone) {
  configure(R"("direction": "deviceToCloud",)");
  connect(true);
  change_own(R"({"reported":{"a":1}})");
  run();
  change_server(R"({"desired":{"d":1}})");
  run();
  EXPECT_EQ(own(), R"({"reported":{"a":1}})");
  EXPECT_EQ(at_server(), R"({"reported":{"a":1}})");
}

TEST_F(ShadowSyncTest, ByThePeriodAllThatHasChangedGoesAtOnceAndNotBefore) {
  const json::object configuration = base::parse_json(R"({
      "strategy": {"type": "periodic", "delay": 60},
      "synchronize": {"coreThing": {"classic": false, "namedShadows": ["line"]}}})",
                                                      "test")
                                         .as_object();
  sync_->configure(&configuration);
  connect(true);
  asked_.clear();
  change_own(R"({"reported":{"a":1}})");
  change_server(R"({"desired":{"b":2}})");
  run();
  EXPECT_TRUE(asked_.empty());
  loop_clock_.advance(std::chrono::seconds(61));
  run();
  EXPECT_EQ(base::parse_json(own(), "own"), base::parse_json(at_server(), "server"));
  EXPECT_EQ(base::parse_json(own(), "own"),
            base::parse_json(R"({"reported":{"a":1},"desired":{"b":2}})", "expected"));
}

TEST_F(ShadowSyncTest, WithoutAnAnswerItIsAskedAgain) {
  configure();
  is_deaf_ = true;
  connect(true);
  EXPECT_EQ(asked_, std::vector<std::string>{"get"});
  is_deaf_ = false;
  server_ =
      fleet::update_shadow({}, {{"state", base::parse_json(R"({"desired":{"d":1}})", "test")}}, 1)
          .shadow;
  loop_clock_.advance(std::chrono::seconds(11));
  run();
  EXPECT_EQ(own(), R"({"desired":{"d":1}})");
}

TEST_F(ShadowSyncTest, OtherShadowsAndThoseOfNoConfigurationStayOnTheDevice) {
  connect(true);
  change_own(R"({"reported":{"a":1}})");
  run();
  EXPECT_TRUE(asked_.empty());
  configure();
  run();
  EXPECT_EQ(at_server(), R"({"reported":{"a":1}})");
  sync_->configure(nullptr);
  change_own(R"({"reported":{"a":2}})");
  run();
  EXPECT_EQ(at_server(), R"({"reported":{"a":1}})");
}

}  // namespace
}  // namespace andon::edge
