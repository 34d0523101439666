// SPDX-License-Identifier: Apache-2.0
#include "control/shadows/shadows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;

class ShadowsTest : public testing::Test {
 protected:
  // What is thrown by `act`.
  template <typename Act>
  static ErrorCode error_of(Act act) {
    try {
      act();
    } catch (const base::Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::internal;
  }
  std::vector<std::string> topics() {
    std::vector<std::string> all;
    for (const auto& message : notifier_.take()) all.push_back(message.topic);
    return all;
  }
  void take(const std::string& topic, std::string_view payload) {
    shadows_.take(fleet::parse_device_topic(topic).value(), payload);
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  RecordingNotifier notifier_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "a.db");
  Shadows shadows_{*database_, notifier_, clock_, {.of_thing = 3, .all = 4}};
};

TEST_F(ShadowsTest, KeepsWhatIsDesiredAndReportedAndTellsItsTopics) {
  EXPECT_EQ(error_of([&] { (void)shadows_.get("dev1", "line"); }), ErrorCode::not_found);
  const auto accepted =
      shadows_.update("dev1", "line", R"({"state":{"desired":{"speed":3}},"clientToken":"t"})");
  EXPECT_EQ(accepted.at("clientToken"), "t");
  EXPECT_THAT(topics(), testing::ElementsAre("$aws/things/dev1/shadow/name/line/update/accepted",
                                             "$aws/things/dev1/shadow/name/line/update/delta",
                                             "$aws/things/dev1/shadow/name/line/update/documents"));
  const auto document = shadows_.get("dev1", "line");
  EXPECT_EQ(document.at("version").to_number<int>(), 1);
  EXPECT_EQ(base::to_text(document.at("state")), R"({"desired":{"speed":3},"delta":{"speed":3}})");
  EXPECT_TRUE(topics().empty());
  EXPECT_EQ(error_of([&] {
              shadows_.update("dev1", "line", R"({"state":{"desired":{"a":1}},"version":7})");
            }),
            ErrorCode::conflict);
}

TEST_F(ShadowsTest, AnswersOnTheTopicsOfTheShadowWhatItsDeviceAsks) {
  take("$aws/things/dev1/shadow/get", R"({"clientToken":"t"})");
  const auto refusal = notifier_.last("$aws/things/dev1/shadow/get/rejected");
  EXPECT_EQ(refusal.at("code").to_number<int>(), 404);
  EXPECT_EQ(refusal.at("clientToken").as_string(), "t");
  take("$aws/things/dev1/shadow/update", R"({"state":{"reported":{"a":1}}})");
  EXPECT_EQ(notifier_.last("$aws/things/dev1/shadow/update/accepted").at("version").as_int64(), 1);
  take("$aws/things/dev1/shadow/get", "");
  EXPECT_EQ(base::to_text(notifier_.last("$aws/things/dev1/shadow/get/accepted").at("state")),
            R"({"reported":{"a":1}})");
  take("$aws/things/dev1/shadow/update", "no JSON");
  EXPECT_EQ(notifier_.last("$aws/things/dev1/shadow/update/rejected").at("code").as_int64(), 400);
  take("$aws/things/dev1/shadow/delete", "{}");
  EXPECT_EQ(notifier_.last("$aws/things/dev1/shadow/delete/accepted").at("version").as_int64(), 1);
  take("$aws/things/dev1/shadow/delete", "{}");
  EXPECT_EQ(notifier_.last("$aws/things/dev1/shadow/delete/rejected").at("code").as_int64(), 404);
}

TEST_F(ShadowsTest, ListsTheNamedOnesOfAThingInPages) {
  for (const char* name : {"", "b", "a"}) shadows_.update("dev1", name, R"({"state":{}})");
  const auto first = shadows_.names("dev1", {.limit = 1, .after = ""});
  EXPECT_THAT(first.items, testing::ElementsAre("a"));
  ASSERT_TRUE(first.next);
  const auto rest = shadows_.names("dev1", {.limit = 1, .after = *first.next});
  EXPECT_THAT(rest.items, testing::ElementsAre("b"));
  EXPECT_FALSE(rest.next);
  EXPECT_TRUE(shadows_.names("dev2", {}).items.empty());
}

TEST_F(ShadowsTest, HasAnEndAndADeletedOneMakesRoomAfterTwoDays) {
  for (const char* name : {"a", "b", "c"}) shadows_.update("dev1", name, R"({"state":{}})");
  const auto fourth = [&] { shadows_.update("dev1", "d", R"({"state":{}})"); };
  EXPECT_EQ(error_of(fourth), ErrorCode::resource_exhausted);
  shadows_.remove("dev1", "a");
  EXPECT_EQ(error_of(fourth), ErrorCode::resource_exhausted);
  clock_.advance(std::chrono::hours(49));
  fourth();
  shadows_.update("dev2", "", R"({"state":{}})");
  EXPECT_EQ(error_of([&] { shadows_.update("dev3", "", R"({"state":{}})"); }),
            ErrorCode::resource_exhausted);
  EXPECT_EQ(shadows_.count(), 4);
}

TEST_F(ShadowsTest, OneThatIsMadeAgainGoesOnWithItsVersionForTwoDays) {
  shadows_.update("dev1", "a", R"({"state":{}})");
  shadows_.remove("dev1", "a");
  EXPECT_EQ(shadows_.update("dev1", "a", R"({"state":{}})").at("version").as_int64(), 2);
}

TEST_F(ShadowsTest, NamesThatNobodyHasAndTheOneOfDeploymentsAreRefused) {
  for (const char* name : {"a/b", "AWSManagedGreengrassV2Deployment"}) {
    EXPECT_EQ(error_of([&] { (void)shadows_.get("dev1", name); }), ErrorCode::invalid_argument);
  }
  EXPECT_EQ(error_of([&] { (void)shadows_.get("a/b", ""); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace andon::control
