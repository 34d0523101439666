// SPDX-License-Identifier: Apache-2.0
// The rows behind DeviceJobs: executions and the moves between their states, within the caller's
// transaction. Whoever changes one tells the device after the commit (DeviceJobs::notify).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "control/device_jobs.hpp"
#include "store/database.hpp"

namespace andon::control {

inline constexpr std::string_view kDetailedStatus = "detailed-deployment-status";
inline constexpr std::string_view kFailureCause = "deployment-failure-cause";
inline constexpr std::string_view kErrorStack = "deployment-error-stack";
inline constexpr std::string_view kErrorTypes = "deployment-error-types";

// The moves that are allowed; server moves are canceled and timed_out.
[[nodiscard]] bool may_move(JobStatus from, JobStatus to);

// A new execution, or the old one again (its queue time then rises by a second at least, for
// devices take an equal one for a duplicate). Nothing for one that waits already.
void queue_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                     base::Timestamp now);

// Cancels what has not finished, of one thing or of all; answers whose.
[[nodiscard]] std::vector<std::string> cancel_executions(store::Transaction& tx,
                                                         const std::string& job_id,
                                                         std::string_view reason,
                                                         base::Timestamp now);
bool cancel_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                      std::string_view reason, base::Timestamp now);

[[nodiscard]] std::optional<JobExecution> find_execution(store::Transaction& tx,
                                                         const std::string& job_id,
                                                         const std::string& thing);
// Stores status, details and times; the version rises.
void change_execution(store::Transaction& tx, JobExecution& execution, base::Timestamp now);

// Queues the current deployments of every group that `thing` is now in and has not had, and
// cancels those of groups that it has left. True where something changed.
bool settle_memberships(store::Transaction& tx, const std::string& thing, base::Timestamp now);

[[nodiscard]] JobExecution read_execution(const store::Row& row);  // of kExecutionColumns
inline constexpr std::string_view kExecutionColumns =
    "j.job_id, j.thing, j.status, j.status_details, j.version, j.execution_number, j.queued_ms, "
    "j.started_ms, j.updated_ms";

}  // namespace andon::control
