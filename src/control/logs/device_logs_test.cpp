// SPDX-License-Identifier: Apache-2.0
#include "control/logs/device_logs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'795'343'912'000;  // 2026-11-22
constexpr std::int64_t kDay = 86'400'000;

class DeviceLogsTest : public testing::Test {
 protected:
  void put(std::vector<fleet::DeviceLogLine> lines) {
    put_device_logs(logs_, "eu-west-1", "press:1", {"com.example.App", std::move(lines)});
  }
  std::vector<std::string> all(const std::string& stream) {
    std::vector<std::string> found;
    for (const LogEvent& event : logs_.read(kGroup, stream, {}).events) {
      found.push_back(event.message);
    }
    return found;
  }

  const std::string kGroup = "/aws/greengrass/UserComponent/eu-west-1/com.example.App";
  base::TemporaryDirectory directory_;
  base::FakeClock clock_{base::from_epoch_millis(kNow)};
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "logs.db");
  Logs logs_{*database_, clock_, {}};
};

TEST_F(DeviceLogsTest, EachDayAndThingHasAStreamThatIsMade) {
  put({{kNow, "now"}, {kNow - kDay, "yesterday"}, {kNow - 1, "just before"}});
  put({{kNow + 1, "and after"}});
  EXPECT_THAT(all("/2026/11/22/thing/press+1"), ElementsAre("just before", "now", "and after"));
  EXPECT_THAT(all("/2026/11/21/thing/press+1"), ElementsAre("yesterday"));
}

TEST_F(DeviceLogsTest, WhatIsTooOldIsDroppedAndHoldsUpNothing) {
  put({{0, "of a clock that was never set"}, {kNow, "now"}});
  EXPECT_THAT(all("/2026/11/22/thing/press+1"), ElementsAre("now"));
  EXPECT_THAT(all("/1970/01/01/thing/press+1"), IsEmpty());
}

TEST_F(DeviceLogsTest, NoLinesMakeNothing) {
  put({});
  EXPECT_FALSE(logs_.find_group(kGroup).has_value());
}

}  // namespace
}  // namespace andon::control
