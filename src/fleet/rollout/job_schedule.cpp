// SPDX-License-Identifier: Apache-2.0
#include "fleet/rollout/job_schedule.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

using base::JsonReader;

constexpr std::array<std::pair<std::string_view, JobEnd>, 3> kEnds{
    {{"STOP_ROLLOUT", JobEnd::stop_rollout},
     {"CANCEL", JobEnd::cancel},
     {"FORCE_CANCEL", JobEnd::force_cancel}}};
constexpr std::chrono::days kLongestAhead{366};
constexpr std::chrono::days kLongest{732};

std::optional<base::Timestamp> read_minute(const JsonReader& reader, std::string_view key) {
  constexpr std::size_t kBytes = std::string_view("2030-01-31T06:00").size();
  const auto text = reader.optional_string(key);
  if (!text) return std::nullopt;
  const auto time = text->size() == kBytes ? base::parse_iso8601(*text + ":00Z") : std::nullopt;
  if (!time) reader.problem(key, "must be YYYY-MM-DDTHH:MM, in UTC, such as 2030-01-31T06:00");
  return time;
}

std::optional<MaintenanceWindow> read_window(const JsonReader& reader) {
  const std::string start = reader.string("startTime");
  const auto minutes = reader.optional_integer("durationInMinutes", 1, kMostWindowMinutes);
  if (!minutes) reader.problem("durationInMinutes", "is missing");
  try {
    MaintenanceWindow window{base::ScheduleExpression(start),
                             std::chrono::minutes(minutes.value_or(1))};
    if (window.start.kind() == base::ScheduleExpression::Kind::cron) return window;
  } catch (const base::Error&) {
    // Told below.
  }
  reader.problem("startTime",
                 "must be cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR), in "
                 "UTC, such as cron(0 22 ? * MON-FRI *)");
  return std::nullopt;
}

std::optional<base::Timestamp> next_in_window(const MaintenanceWindow& window,
                                              base::Timestamp now) {
  // One that began within its duration is open.
  const auto begun = window.start.next(now - window.duration, now);
  return begun && *begun <= now ? now : begun;
}

}  // namespace

JobSchedule read_job_schedule(const JsonReader& reader) {
  JobSchedule schedule;
  schedule.start = read_minute(reader, "startTime");
  schedule.end = read_minute(reader, "endTime");
  if (const auto at_end = reader.choice("endBehavior", kEnds)) {
    schedule.at_end = *at_end;
    if (!schedule.end) reader.problem("endBehavior", "goes with endTime, which is missing");
  }
  for (const JsonReader& one : reader.children("maintenanceWindows")) {
    if (schedule.windows.size() == kMostMaintenanceWindows) {
      reader.problem("maintenanceWindows", "has more than 20 windows");
      break;
    }
    if (auto window = read_window(one)) schedule.windows.push_back(*std::move(window));
  }
  return schedule;
}

void check_times(const JsonReader& reader, const JobSchedule& schedule, base::Timestamp now) {
  if (schedule.start && (*schedule.start <= now || *schedule.start - now > kLongestAhead)) {
    reader.problem("startTime", "must lie ahead, by a year at most");
  }
  const base::Timestamp start = schedule.start.value_or(now);
  if (schedule.end && (*schedule.end <= start || *schedule.end - start > kLongest)) {
    reader.problem("endTime", "must come after the start, and within two years of it");
  }
}

std::optional<base::Timestamp> next_rollout(const JobSchedule& schedule, base::Timestamp now) {
  const base::Timestamp from = std::max(now, schedule.start.value_or(now));
  if (schedule.windows.empty()) return from;
  std::optional<base::Timestamp> next;
  for (const MaintenanceWindow& window : schedule.windows) {
    const auto at = next_in_window(window, from);
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

}  // namespace andon::fleet
