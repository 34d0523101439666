// SPDX-License-Identifier: Apache-2.0
// How a job goes out to many devices, as AWS IoT Jobs writes it: at which rate, when it is given
// up, how long one device may take, how often a device tries again. The one reader of
// jobExecutionsRolloutConfig, abortConfig, timeoutConfig and jobExecutionsRetryConfig, for jobs and
// for deployments (iotJobConfiguration). Values; pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/json/json_reader.hpp"

namespace andon::fleet {

inline constexpr std::int64_t kMaxJobRate = 1000;            // things a minute
inline constexpr std::int64_t kMaxJobMinutes = 7 * 24 * 60;  // of a timeout
inline constexpr std::int64_t kMaxJobRetries = 10;
inline constexpr std::size_t kMaxAbortCriteria = 4;  // one a type of failure

// The rate rises by `increment_factor` each time that so many things more were told, or have
// succeeded: one of the two.
struct ExponentialRate {
  std::int64_t base_per_minute = 1;
  double increment_factor = 1.1;
  std::optional<std::int64_t> notified_things;
  std::optional<std::int64_t> succeeded_things;
};

struct RolloutRate {
  std::optional<std::int64_t> maximum_per_minute;
  std::optional<ExponentialRate> exponential;

  [[nodiscard]] bool is_limited() const { return maximum_per_minute || exponential; }
};

enum class JobFailure { failed, rejected, timed_out, all };

// Of the things whose executions have ended, once there are so many of them.
struct AbortCriterion {
  JobFailure failure = JobFailure::all;
  double threshold_percentage = 100;
  std::int64_t min_executed_things = 1;
};

struct RetryCriterion {
  JobFailure failure = JobFailure::all;  // failed, timed_out or all
  std::int64_t retries = 0;
};

struct JobConfiguration {
  RolloutRate rate;
  std::vector<AbortCriterion> abort;
  std::optional<std::chrono::minutes> in_progress_timeout;
  std::vector<RetryCriterion> retries;
};

// `reader` holds those four members, of which each may be absent. A problem names the member.
[[nodiscard]] JobConfiguration read_job_configuration(const base::JsonReader& reader);

}  // namespace andon::fleet
