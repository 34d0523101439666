// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/volume_meter.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr auto kHour = VolumeMeter::kHour;
constexpr auto kDay = VolumeMeter::kDay;
constexpr std::int64_t kYear = 365 * 24;

VolumeMeter::Now at(milliseconds since_boot, std::int64_t wall_hours = 500'000,
                    std::string boot = "one") {
  return {std::move(boot), since_boot, base::Timestamp(hours(wall_hours))};
}

TEST(VolumeMeter, BytesCountForAnHourAndADay) {
  VolumeMeter meter(at(hours(3)));
  meter.add(100, at(hours(3)));
  meter.add(20, at(hours(3) + minutes(30)));
  EXPECT_EQ(meter.in_last(kHour, at(hours(3) + minutes(59))), 120U);
  EXPECT_EQ(meter.in_last(kHour, at(hours(4) + minutes(5))), 20U);
  EXPECT_EQ(meter.in_last(kDay, at(hours(4) + minutes(5))), 120U);
  EXPECT_EQ(meter.in_last(kDay, at(hours(28))), 0U);
}

TEST(VolumeMeter, SaysWhenTheNextBytesAreWithinTheLimit) {
  VolumeMeter meter(at(hours(3)));
  meter.add(60, at(hours(3)));
  meter.add(40, at(hours(3) + minutes(30)));
  const VolumeMeter::Now now = at(hours(3) + minutes(40));
  EXPECT_EQ(meter.until_fits(0, 100, kHour, now), milliseconds{0});
  const milliseconds left = meter.until_fits(60, 100, kHour, now);
  EXPECT_EQ(left, minutes(25));
  const VolumeMeter::Now then = at(now.since_boot + left);
  EXPECT_EQ(meter.until_fits(60, 100, kHour, then), milliseconds{0});
  EXPECT_GT(meter.until_fits(60, 100, kHour, at(then.since_boot - milliseconds{1})),
            milliseconds{0});
}

TEST(VolumeMeter, MoreThanTheLimitGoesWhereNothingWent) {
  VolumeMeter meter(at(hours(1)));
  EXPECT_EQ(meter.until_fits(500, 100, kHour, at(hours(1))), milliseconds{0});
  meter.add(1, at(hours(1)));
  EXPECT_EQ(meter.until_fits(500, 100, kHour, at(hours(1))), minutes(65));
}

// What the volume is after a restart, by how the clocks are then.
TEST(VolumeMeter, ARestartAndAWallClockThatJumpsGiveNoBytes) {
  VolumeMeter meter(at(hours(3)));
  meter.add(100, at(hours(3)));
  const std::string kept = meter.to_text(at(hours(3) + minutes(10)));
  struct Case {
    const char* name;
    VolumeMeter::Now now;
    std::uint64_t in_hour, in_day;
  };
  for (const Case& one : std::vector<Case>{
           {"the agent restarts", at(hours(3) + minutes(20)), 100, 100},
           {"and two hours later", at(hours(5)), 0, 100},
           {"the clock was set ten years ahead", at(hours(3) + minutes(20), 500'000 + 10 * kYear),
            100, 100},
           {"the clock was set ten years back", at(hours(3) + minutes(20), 500'000 - 10 * kYear),
            100, 100},
           {"another boot at once", at(milliseconds{9}, 500'000, "two"), 100, 100},
           {"another boot, two hours later", at(milliseconds{9}, 500'002, "two"), 0, 100},
           {"another boot, with the clock ten years back",
            at(milliseconds{9}, 500'000 - 10 * kYear, "two"), 100, 100},
           {"another boot two days later", at(milliseconds{9}, 500'048, "two"), 0, 0}}) {
    const VolumeMeter again(kept, one.now);
    EXPECT_EQ(again.in_last(kHour, one.now), one.in_hour) << one.name;
    EXPECT_EQ(again.in_last(kDay, one.now), one.in_day) << one.name;
  }
}

TEST(VolumeMeter, KeepsADayOfSlotsAndNoMore) {
  VolumeMeter meter(at(milliseconds{0}));
  for (int slot = 0; slot < 3000; ++slot) meter.add(1, at(slot * VolumeMeter::kSlot));
  const VolumeMeter::Now now = at(2999 * VolumeMeter::kSlot);
  EXPECT_EQ(meter.in_last(kDay, now), 289U);
  const VolumeMeter again(meter.to_text(now), now);
  EXPECT_EQ(again.in_last(kDay, now), 289U);
}

TEST(VolumeMeter, RefusesWhatItHasNotWritten) {
  const VolumeMeter::Now now = at(hours(3));
  for (
      const char* text :
      {"", "{}", "[1]", R"({"bootId":"one","sinceBootMs":1,"wallMs":1,"timeMs":-1})",
       R"({"bootId":"one","sinceBootMs":1,"wallMs":1,"timeMs":1,"slots":[{"slot":9999999999,"bytes":1}]})",
       R"({"bootId":"one","sinceBootMs":1,"wallMs":1,"timeMs":1,"slots":[{"slot":0,"bytes":-1}]})",
       R"({"bootId":"one","sinceBootMs":1,"wallMs":1,"timeMs":1,
            "slots":[{"slot":0,"bytes":1},{"slot":0,"bytes":1}]})"}) {
    EXPECT_THROW(VolumeMeter(text, now), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::edge
