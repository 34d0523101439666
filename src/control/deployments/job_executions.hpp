// SPDX-License-Identifier: Apache-2.0
// The rows behind DeviceJobs: executions and the moves between their states, within the caller's
// transaction. Whoever changes one leaves word of it in the outbox (kJobsChanged), in the same
// transaction.
// A job of a deployment that is over reads as canceled, also where its rollout has still to say so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "control/deployments/device_jobs.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// The moves that are allowed; server moves are canceled and timed_out.
[[nodiscard]] bool may_move(JobStatus from, JobStatus to);

// A new execution, or the old one again (its queue time then rises by a second at least, for
// devices take an equal one for a duplicate). Nothing for one that waits already.
void queue_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                     base::Timestamp now);

// A new execution where `thing` has had none of this job; false where it has.
bool insert_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                      base::Timestamp now);

// Cancels what has not finished, of at most `limit` things; answers whose.
[[nodiscard]] std::vector<std::string> cancel_executions(store::Transaction& tx,
                                                         const std::string& job_id,
                                                         std::string_view reason, std::size_t limit,
                                                         base::Timestamp now);
// Cancels what `thing` has not finished of other deployments that are for `behalf` (standing.hpp).
void cancel_superseded(store::Transaction& tx, const std::string& job_id, const std::string& behalf,
                       const std::string& thing, base::Timestamp now);
inline constexpr std::string_view kSuperseded =
    "a newer deployment to the same target took its place";

[[nodiscard]] std::optional<JobExecution> find_execution(store::Transaction& tx,
                                                         const std::string& job_id,
                                                         const std::string& thing);
// Stores status, details and times; the version rises.
void change_execution(store::Transaction& tx, JobExecution& execution, base::Timestamp now);

// Queues the current deployments of every group that `thing` is now in and has not had, and
// cancels those of groups that it has left; leaves word in the outbox. What a rollout with a rate
// will still bring is left to it. True where something changed.
bool settle_memberships(store::Transaction& tx, const std::string& thing, base::Timestamp now);

// For people: what the device has said, or what it waits for.
[[nodiscard]] std::string reason_of(const JobExecution& execution);

[[nodiscard]] JobExecution read_execution(const store::Row& row);  // of kExecutionColumns
inline constexpr std::string_view kExecutionColumns =
    "j.job_id, j.thing, CASE WHEN j.status IN ('IN_PROGRESS', 'QUEUED') AND (SELECT o.state "
    "FROM deployments o WHERE o.id = j.job_id) <> 'CURRENT' THEN 'CANCELED' ELSE j.status END, "
    "j.status_details, j.version, j.execution_number, j.queued_ms, j.started_ms, j.updated_ms";

}  // namespace andon::control
