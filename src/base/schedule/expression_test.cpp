// SPDX-License-Identifier: Apache-2.0
#include "base/schedule/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

Timestamp time_of(const std::string& text) {
  return parse_iso8601(text).value();
}

// The runs after `after`, as text without the milliseconds.
std::vector<std::string> runs(const std::string& expression, const char* zone,
                              const std::string& after, std::size_t count,
                              const std::string& begin = "2026-01-01T00:00:00Z") {
  const ScheduleExpression made(expression, zone == nullptr ? nullptr : Zone::find(zone));
  std::vector<std::string> all;
  auto last = time_of(after);
  while (all.size() < count) {
    const auto next = made.next(last, time_of(begin));
    if (!next) break;
    all.push_back(to_iso8601(*next).substr(0, 19));
    last = *next;
  }
  return all;
}

using Runs = std::vector<std::string>;

TEST(ScheduleExpression, ARateCountsFromItsBeginning) {
  EXPECT_EQ(runs("rate(5 minutes)", nullptr, "2025-12-31T00:00:00Z", 3),
            (Runs{"2026-01-01T00:00:00", "2026-01-01T00:05:00", "2026-01-01T00:10:00"}));
  EXPECT_EQ(runs("rate(1 day)", "Europe/Berlin", "2026-03-28T10:00:00Z", 2, "2026-03-01T12:00:00Z"),
            (Runs{"2026-03-28T12:00:00", "2026-03-29T12:00:00"}));
  EXPECT_EQ(runs("rate(1 hour)", nullptr, "2026-01-01T10:00:00Z", 1),
            (Runs{"2026-01-01T11:00:00"}));
}

TEST(ScheduleExpression, OneTimeIsOnce) {
  EXPECT_EQ(runs("at(2026-07-01T08:30:00)", "Europe/Berlin", "2026-01-01T00:00:00Z", 2),
            (Runs{"2026-07-01T06:30:00"}));
  EXPECT_EQ(runs("at(2026-07-01T08:30:00)", nullptr, "2026-07-01T08:30:00Z", 2), Runs{});
}

TEST(ScheduleExpression, CronHasAwsFields) {
  struct Case {
    const char* expression;
    Runs expected;
  };
  const std::vector<Case> cases = {
      {"cron(0 10 * * ? *)", {"2026-11-29T10:00:00", "2026-11-30T10:00:00"}},
      {"cron(15 12 * * ? *)", {"2026-11-29T12:15:00", "2026-11-30T12:15:00"}},
      {"cron(0 18 ? * MON-FRI *)", {"2026-11-30T18:00:00", "2026-12-01T18:00:00"}},
      {"cron(0 8 1 * ? *)", {"2026-12-01T08:00:00", "2027-01-01T08:00:00"}},
      {"cron(0/20 * * * ? *)", {"2026-11-29T00:20:00", "2026-11-29T00:40:00"}},
      {"cron(0 0 L * ? *)", {"2026-11-30T00:00:00", "2026-12-31T00:00:00"}},
      {"cron(0 0 L-2 * ? *)", {"2026-12-29T00:00:00", "2027-01-29T00:00:00"}},
      {"cron(0 0 LW * ? *)", {"2026-11-30T00:00:00", "2026-12-31T00:00:00"}},
      {"cron(0 0 1W * ? *)", {"2026-12-01T00:00:00", "2027-01-01T00:00:00"}},
      {"cron(0 0 15W AUG ? 2026-2027)", {"2027-08-16T00:00:00"}},
      {"cron(0 0 ? * 6L *)", {"2026-12-25T00:00:00", "2027-01-29T00:00:00"}},
      {"cron(0 0 ? * L *)", {"2026-12-05T00:00:00", "2026-12-12T00:00:00"}},
      {"cron(0 0 ? * 3#2 *)", {"2026-12-08T00:00:00", "2027-01-12T00:00:00"}},
      {"cron(0 0 ? JAN 1 2027,2028)", {"2027-01-03T00:00:00", "2027-01-10T00:00:00"}},
      {"cron(0 0 29 2 ? *)", {"2028-02-29T00:00:00", "2032-02-29T00:00:00"}},
      {"cron(0 0 31 2 ? *)", {}},
      {"cron(0 0 1 1 ? 2020)", {}},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(runs(one.expression, nullptr, "2026-11-29T00:00:00Z",
                   std::max<std::size_t>(one.expected.size(), 1)),
              one.expected)
        << one.expression;
  }
}

struct Shift {
  const char* zone;
  const char* expression;
  const char* after;
  Runs expected;
};

TEST(ScheduleExpression, ATimeThatClocksSkipInSpringIsLeftOut) {
  const std::vector<Shift> cases = {
      {"Europe/Berlin",
       "cron(30 2 * * ? *)",
       "2026-03-28T00:00:00Z",
       {"2026-03-28T01:30:00", "2026-03-30T00:30:00", "2026-03-31T00:30:00"}},
      {"Europe/Berlin",
       "cron(0 3 * * ? *)",
       "2026-03-28T12:00:00Z",
       {"2026-03-29T01:00:00", "2026-03-30T01:00:00"}},
      {"America/New_York",
       "cron(30 2 * * ? *)",
       "2026-03-07T00:00:00Z",
       {"2026-03-07T07:30:00", "2026-03-09T06:30:00"}},
      // Half an hour.
      {"Australia/Lord_Howe",
       "cron(15 2 * * ? *)",
       "2026-10-02T18:00:00Z",
       {"2026-10-04T15:15:00", "2026-10-05T15:15:00"}},
      // Beyond the changes that are listed: by the rule behind them.
      {"Europe/Berlin",
       "cron(30 2 * * ? *)",
       "2050-03-26T00:00:00Z",
       {"2050-03-26T01:30:00", "2050-03-28T00:30:00"}},
  };
  for (const Shift& one : cases) {
    EXPECT_EQ(runs(one.expression, one.zone, one.after, one.expected.size()), one.expected)
        << one.zone << ' ' << one.expression;
  }
}

TEST(ScheduleExpression, ATimeThatComesTwiceInAutumnIsTheFirst) {
  const std::vector<Shift> cases = {
      {"Europe/Berlin",
       "cron(30 2 * * ? *)",
       "2026-10-24T12:00:00Z",
       {"2026-10-25T00:30:00", "2026-10-26T01:30:00"}},
      {"America/New_York",
       "cron(30 1 * * ? *)",
       "2026-10-31T12:00:00Z",
       {"2026-11-01T05:30:00", "2026-11-02T06:30:00"}},
      {"Australia/Lord_Howe",
       "cron(45 1 * * ? *)",
       "2026-04-04T00:00:00Z",
       {"2026-04-04T14:45:00", "2026-04-05T15:15:00"}},
      {"Europe/Berlin",
       "cron(30 2 * * ? *)",
       "2050-10-29T12:00:00Z",
       {"2050-10-30T00:30:00", "2050-10-31T01:30:00"}},
      // Every half hour: none twice.
      {"Europe/Berlin",
       "cron(0/30 * * * ? *)",
       "2026-10-24T23:59:00Z",
       {"2026-10-25T00:00:00", "2026-10-25T00:30:00", "2026-10-25T02:00:00"}},
  };
  for (const Shift& one : cases) {
    EXPECT_EQ(runs(one.expression, one.zone, one.after, one.expected.size()), one.expected)
        << one.zone << ' ' << one.expression;
  }
}

TEST(ScheduleExpression, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "rate",
                           "rate()",
                           "rate(0 minutes)",
                           "rate(1 minutes)",
                           "rate(5 minute)",
                           "rate(10 seconds)",
                           "rate(1 year)",
                           " rate(1 day)",
                           "rate(1 day) ",
                           "rate(-1 hours)",
                           "cron(0 10 * * *)",
                           "cron(0 10 * * * *)",
                           "cron(0 10 ? * ? *)",
                           "cron(60 10 * * ? *)",
                           "cron(0 24 * * ? *)",
                           "cron(0 0 0 * ? *)",
                           "cron(0 0 32 * ? *)",
                           "cron(0 0 ? * 8 *)",
                           "cron(0 0 * 13 ? *)",
                           "cron(0 0 * * ? 1969)",
                           "cron(5-1 0 * * ? *)",
                           "cron(*/0 0 * * ? *)",
                           "cron(0 0 ? * MON#6 *)",
                           "at(2026-01-01)",
                           "at(2026-01-01T00:00:00Z)",
                           "at(2026-13-01T00:00:00)",
                           "every(1 day)"}) {
    EXPECT_THROW(ScheduleExpression{text}, Error) << text;
  }
}

TEST(Zone, IsOneOfTheSystems) {
  EXPECT_EQ(Zone::find("Asia/Kolkata")->offset_at(std::chrono::sys_seconds{}),
            std::chrono::seconds(19'800));
  for (const char* name : {"", "Nowhere/City", "../../etc/passwd", "Europe/../UTC", "/etc/passwd",
                           "posixrules", "Europe/", "tzdata.zi", "Europe"}) {
    EXPECT_THROW((void)Zone::find(name), Error) << name;
  }
}

TEST(Zone, ADamagedFileIsRefused) {
  EXPECT_THROW((void)Zone::parse("TZif2"), Error);
  EXPECT_THROW((void)Zone::parse(std::string(44, '\xFF')), Error);
}

}  // namespace
}  // namespace andon::base
