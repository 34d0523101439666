// SPDX-License-Identifier: Apache-2.0
#include "control/results/shifts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

base::json::object object(const std::string& text) {
  return base::parse_json(text, "test").as_object();
}

ShiftPlan plan(const std::string& zone = "Europe/Berlin") {
  return read_shift_plan(
      object(R"({"timeZone": ")" + zone + R"(", "shifts": [{"name": "night", "start": "22:00"},
          {"name": "early", "start": "05:30"}, {"name": "late", "start": "13:45"}]})"));
}

base::Timestamp at(const std::string& text) {
  return base::parse_iso8601(text).value();
}

std::vector<std::string> between(const ShiftPlan& of, const std::string& from,
                                 const std::string& until, std::size_t most = 100) {
  std::vector<std::string> all;
  for (const ShiftSpan& span : shifts_between(of, at(from), at(until), most)) {
    all.push_back(span.day + " " + span.name + " " + base::to_iso8601(span.begin).substr(11, 5) +
                  "-" + base::to_iso8601(span.end).substr(11, 5));
  }
  return all;
}

TEST(Shifts, AreThoseThatOverlapATimeWithTheDayOnWhichTheyBegan) {
  EXPECT_THAT(between(plan(), "2026-11-30T00:00:00Z", "2026-11-30T13:00:00Z"),
              ElementsAre("2026-11-29 night 21:00-04:30", "2026-11-30 early 04:30-12:45",
                          "2026-11-30 late 12:45-21:00"));
  EXPECT_THAT(between(plan(), "2026-11-30T12:45:00Z", "2026-11-30T21:00:00Z"),
              ElementsAre("2026-11-30 late 12:45-21:00"));
  EXPECT_THAT(between(plan(), "2026-11-30T00:00:00Z", "2026-11-30T13:00:00Z", 1),
              ElementsAre("2026-11-29 night 21:00-04:30"));
}

TEST(Shifts, BeginAsClocksShowItAlsoWhereTheyAreSet) {
  // The night in which an hour is skipped, and the one in which an hour comes twice.
  EXPECT_THAT(between(plan(), "2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z"),
              ElementsAre("2026-03-28 night 21:00-03:30", "2026-03-29 early 03:30-11:45"));
  EXPECT_THAT(between(plan(), "2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z"),
              ElementsAre("2026-10-24 night 20:00-04:30", "2026-10-25 early 04:30-12:45"));
  const ShiftPlan skipped = read_shift_plan(
      object(R"({"timeZone": "Europe/Berlin", "shifts": [{"name": "a", "start": "02:30"}]})"));
  EXPECT_THAT(between(skipped, "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"),
              ElementsAre("2026-03-29 a 01:00-00:30"));
}

TEST(Shifts, AreNoneWhereNobodyHasSaidAny) {
  EXPECT_THAT(between({}, "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"), ElementsAre());
  EXPECT_THAT(between(plan(), "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z"), ElementsAre());
}

TEST(Shifts, AreReadAsTheyAreWritten) {
  const ShiftPlan read = read_shift_plan(to_json(plan()));
  EXPECT_EQ(base::to_text(to_json(read)),
            R"({"timeZone":"Europe/Berlin","shifts":[{"name":"early","start":"05:30"},)"
            R"({"name":"late","start":"13:45"},{"name":"night","start":"22:00"}]})");
}

TEST(Shifts, SayWhatIsWrong) {
  const auto problem = [](const std::string& text) -> std::string {
    try {
      (void)read_shift_plan(object(text));
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  };
  EXPECT_THAT(problem(R"({})"), HasSubstr("shifts: must be a list"));
  EXPECT_THAT(problem(R"({"timeZone": "Mars/Base", "shifts": []})"), HasSubstr("Mars/Base"));
  for (const char* start : {"6:00", "24:00", "05:10", "xx:00", "-1:00", ""}) {
    EXPECT_THAT(problem(R"({"shifts": [{"name": "a", "start": ")" + std::string(start) + "\"}]}"),
                testing::Not("it was taken"))
        << start;
  }
  EXPECT_THAT(problem(R"({"shifts": [{"name": "a", "start": "05:00"},
                                     {"name": "a", "start": "06:00"}]})"),
              HasSubstr("two have the name"));
  EXPECT_THAT(problem(R"({"shifts": [{"name": "a", "start": "05:00"},
                                     {"name": "b", "start": "05:00"}]})"),
              HasSubstr("two begin together"));
  EXPECT_THAT(problem(R"({"shifts": [{"name": "a\nb", "start": "05:00"}]})"),
              HasSubstr("without control characters"));
}

}  // namespace
}  // namespace andon::control
