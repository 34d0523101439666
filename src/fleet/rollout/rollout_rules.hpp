// SPDX-License-Identifier: Apache-2.0
// What a job's configuration says to what has happened so far: how many more things may be told of
// it now, whether it is given up, when one device is too late, whether it tries again. No clock and
// no rows: the caller hands in counts, the pace that it keeps with the job, and the time. So a
// server that was killed goes on at the same pace. Values; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "fleet/messages/deployment_outcome.hpp"
#include "fleet/rollout/job_configuration.hpp"

namespace andon::fleet {

// Executions of one job, by their status.
struct JobCounts {
  std::int64_t queued = 0;
  std::int64_t in_progress = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::int64_t rejected = 0;
  std::int64_t timed_out = 0;
  std::int64_t canceled = 0;

  void add(JobStatus status, std::int64_t count);
  // Every thing that has been told of the job.
  [[nodiscard]] std::int64_t notified() const;
  // Those that have done it or have failed to: what abort criteria look at.
  [[nodiscard]] std::int64_t executed() const { return succeeded + failed + rejected + timed_out; }
  [[nodiscard]] std::int64_t pending() const { return queued + in_progress; }
};

// Things a minute, as the counts stand: never more than kMaxJobRate. Nothing: no limit.
[[nodiscard]] std::optional<std::int64_t> rate_now(const RolloutRate& rate,
                                                   const JobCounts& counts);

// Before `next` nobody is told; kept with the job, in the transaction that tells. A new job's is 0.
struct RolloutPace {
  base::Timestamp next{};
};

// How many may be told now: evenly over the minute, so that with a rate of 60 it is one a second. A
// caller that comes late may catch up on kRolloutCatchUp and no more: nobody is flooded after a
// standstill.
inline constexpr std::chrono::seconds kRolloutCatchUp{2};
[[nodiscard]] std::size_t may_start(const RolloutRate& rate, const JobCounts& counts,
                                    const RolloutPace& pace, base::Timestamp now, std::size_t most);
// The pace after `started` were told at `now`; `counts` are those that may_start() was given.
[[nodiscard]] RolloutPace after_starting(const RolloutRate& rate, const JobCounts& counts,
                                         const RolloutPace& pace, base::Timestamp now,
                                         std::size_t started);

// The criterion that says to give the job up; nothing while none does.
[[nodiscard]] std::optional<AbortCriterion> find_abort(const JobConfiguration& configuration,
                                                       const JobCounts& counts);
// For people: "2 of 3 devices ended FAILED (66.67 %), abortConfig gives up at 50 %".
[[nodiscard]] std::string describe_abort(const AbortCriterion& criterion, const JobCounts& counts);

// A device in progress since `started` is too late after it. Nothing: it may take any time.
[[nodiscard]] std::optional<base::Timestamp> in_progress_deadline(
    const JobConfiguration& configuration, base::Timestamp started);

// May an execution that has ended with `status`, and was tried again `retried` times, be queued
// once more?
[[nodiscard]] bool may_retry(const JobConfiguration& configuration, JobStatus status,
                             std::int64_t retried);

}  // namespace andon::fleet
