// SPDX-License-Identifier: Apache-2.0
#include "fleet/rollout/job_schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::fleet {
namespace {

base::Timestamp time_of(const std::string& text) {
  return base::parse_iso8601(text + ":00Z").value();
}

const base::Timestamp kNow = time_of("2030-06-05T12:00");  // a Wednesday

JobSchedule read(const std::string& text, base::Timestamp now = kNow) {
  const base::json::value value = base::parse_json(text, "test");
  const base::JsonReader reader(value, "schedulingConfig");
  JobSchedule schedule = read_job_schedule(reader);
  check_times(reader, schedule, now);
  return schedule;
}

std::string next(const JobSchedule& schedule, const std::string& now) {
  const auto at = next_rollout(schedule, time_of(now));
  return at ? base::to_iso8601(*at).substr(0, 16) : "never";
}

TEST(JobSchedule, GoesOutAtOnceWhereNothingIsSaid) {
  EXPECT_EQ(next(read("{}"), "2030-06-05T12:00"), "2030-06-05T12:00");
}

TEST(JobSchedule, WaitsForItsStart) {
  const JobSchedule schedule =
      read(R"({"startTime": "2030-06-06T06:30", "endTime": "2030-06-07T06:30",
               "endBehavior": "FORCE_CANCEL"})");
  EXPECT_EQ(next(schedule, "2030-06-05T12:00"), "2030-06-06T06:30");
  EXPECT_EQ(next(schedule, "2030-06-06T07:00"), "2030-06-06T07:00");
  EXPECT_EQ(schedule.end, time_of("2030-06-07T06:30"));
  EXPECT_EQ(schedule.at_end, JobEnd::force_cancel);
}

TEST(JobSchedule, GoesOutInItsWindowsAndNotBetweenThem) {
  const JobSchedule schedule = read(
      R"json({"startTime": "2030-06-06T21:00", "maintenanceWindows": [
            {"startTime": "cron(0 22 ? * MON-FRI *)", "durationInMinutes": 120},
            {"startTime": "cron(30 3 ? * SUN *)", "durationInMinutes": 1}]})json");
  for (const auto& [now, at] : {std::pair{"2030-06-05T22:30", "2030-06-06T22:00"},  // not begun
                                {"2030-06-06T21:59", "2030-06-06T22:00"},
                                {"2030-06-06T22:00", "2030-06-06T22:00"},
                                {"2030-06-06T23:59", "2030-06-06T23:59"},
                                {"2030-06-07T00:00", "2030-06-07T22:00"},
                                {"2030-06-07T23:30", "2030-06-07T23:30"},
                                {"2030-06-08T00:00", "2030-06-09T03:30"},
                                {"2030-06-09T03:31", "2030-06-10T22:00"}}) {
    EXPECT_EQ(next(schedule, now), at) << now;
  }
}

TEST(JobSchedule, AWindowBeginsOnTheDayBeforeToo) {
  const JobSchedule schedule = read(
      R"json({"maintenanceWindows": [{"startTime": "cron(0 23 ? * * *)",
            "durationInMinutes": 120}]})json");
  EXPECT_EQ(next(schedule, "2030-06-06T00:30"), "2030-06-06T00:30");
  EXPECT_EQ(next(schedule, "2030-06-06T01:00"), "2030-06-06T23:00");
}

TEST(JobSchedule, HasNoNextWindowWhereItsYearIsOver) {
  const JobSchedule schedule = read(
      R"json({"maintenanceWindows": [{"startTime": "cron(0 9 1 1 ? 2030)",
            "durationInMinutes": 5}]})json");
  EXPECT_EQ(next(schedule, "2030-06-05T12:00"), "never");
}

TEST(JobSchedule, SaysWhatIsWrong) {
  std::string many;
  for (int i = 0; i < 21; ++i) {
    many += std::string(i == 0 ? "" : ",") +
            R"json({"startTime": "cron(0 9 * * ? *)", "durationInMinutes": 5})json";
  }
  for (const auto& [text, why] : std::initializer_list<std::pair<std::string, const char*>>{
           {R"({"startTime": "2030-06-06"})", "startTime"},
           {R"({"startTime": "2030-06-06T06:30:00Z"})", "YYYY-MM-DDTHH:MM"},
           {R"({"startTime": "2030-06-05T12:00"})", "must lie ahead"},
           {R"({"startTime": "2031-07-05T12:00"})", "a year at most"},
           {R"({"startTime": "2030-06-07T06:30", "endTime": "2030-06-07T06:30"})",
            "after the start"},
           {R"({"endTime": "2033-01-01T00:00"})", "two years"},
           {R"({"endTime": "2030-06-05T11:59"})", "after the start"},
           {R"({"endBehavior": "CANCEL"})", "endTime, which is missing"},
           {R"({"endTime": "2030-06-07T06:30", "endBehavior": "STOP"})", "endBehavior"},
           {R"json({"maintenanceWindows": [{"startTime": "rate(1 day)",
                "durationInMinutes": 5}]})json",
            "must be cron"},
           {R"json({"maintenanceWindows": [{"startTime": "cron(0 9)",
                "durationInMinutes": 5}]})json",
            "must be cron"},
           {R"json({"maintenanceWindows": [{"startTime": "cron(0 9 * * ? *)"}]})json",
            "is missing"},
           {R"json({"maintenanceWindows": [{"startTime": "cron(0 9 * * ? *)",
                "durationInMinutes": 1431}]})json",
            "durationInMinutes"},
           {R"({"maintenanceWindows": [)" + many + "]}", "more than 20"}}) {
    try {
      (void)read(text);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr("schedulingConfig"));
      EXPECT_THAT(error.message(), testing::HasSubstr(why));
    }
  }
}

}  // namespace
}  // namespace andon::fleet
