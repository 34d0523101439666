// SPDX-License-Identifier: Apache-2.0
// When a job may reach devices, as AWS IoT Jobs writes it (schedulingConfig): from a time on, until
// a time, in maintenance windows that come again and again. Values; pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/json/json_reader.hpp"
#include "base/schedule/expression.hpp"
#include "base/time/time.hpp"

namespace andon::fleet {

inline constexpr std::size_t kMostMaintenanceWindows = 20;
inline constexpr std::int64_t kMostWindowMinutes = 1430;

struct MaintenanceWindow {
  base::ScheduleExpression start;  // cron() in UTC
  std::chrono::minutes duration;
};

// What becomes of a job at its end: nobody else gets it; those that have not begun lose it, too;
// those that work on it as well.
enum class JobEnd { stop_rollout, cancel, force_cancel };

struct JobSchedule {
  std::optional<base::Timestamp> start;
  std::optional<base::Timestamp> end;
  JobEnd at_end = JobEnd::stop_rollout;
  std::vector<MaintenanceWindow> windows;
};

// Of the member schedulingConfig, with startTime, endTime, endBehavior and maintenanceWindows, each
// of which may be absent. A problem names the member.
[[nodiscard]] JobSchedule read_job_schedule(const base::JsonReader& reader);
// startTime lies ahead, by a year at most, and endTime after it, by two years at most.
void check_times(const base::JsonReader& reader, const JobSchedule& schedule, base::Timestamp now);

// `now` where devices may be told now; else the next time at which they may; nothing where there is
// none any more. The end is not looked at.
[[nodiscard]] std::optional<base::Timestamp> next_rollout(const JobSchedule& schedule,
                                                          base::Timestamp now);

}  // namespace andon::fleet
