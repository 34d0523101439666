// SPDX-License-Identifier: Apache-2.0
#include "control/job_executions.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "control/membership.hpp"
#include "control/sql_text.hpp"

namespace andon::control {
namespace {

constexpr std::array<std::pair<JobStatus, std::string_view>, 7> kNames{{
    {JobStatus::queued, "QUEUED"},
    {JobStatus::in_progress, "IN_PROGRESS"},
    {JobStatus::succeeded, "SUCCEEDED"},
    {JobStatus::failed, "FAILED"},
    {JobStatus::rejected, "REJECTED"},
    {JobStatus::timed_out, "TIMED_OUT"},
    {JobStatus::canceled, "CANCELED"},
}};

void cancel(store::Transaction& tx, JobExecution execution, std::string_view reason,
            base::Timestamp now) {
  execution.status = JobStatus::canceled;
  execution.status_details = {{std::string(kFailureCause), std::string(reason)}};
  change_execution(tx, execution, now);
}

}  // namespace

std::string_view to_string(JobStatus status) {
  for (const auto& [value, name] : kNames) {
    if (value == status) return name;
  }
  throw base::Error(base::ErrorCode::internal, "a job status has no name");
}

std::optional<JobStatus> parse_job_status(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool is_terminal(JobStatus status) {
  return status != JobStatus::queued && status != JobStatus::in_progress;
}

bool may_move(JobStatus from, JobStatus to) {
  if (is_terminal(from)) return false;
  return to != JobStatus::queued;  // an end without IN_PROGRESS first is allowed, as in AWS
}

JobExecution read_execution(const store::Row& row) {
  JobExecution execution;
  execution.job_id = row.text(0);
  execution.thing = row.text(1);
  const auto status = parse_job_status(row.text(2));
  if (!status) {
    throw base::Error(base::ErrorCode::data_corrupted, "a stored job has no known status");
  }
  execution.status = *status;
  execution.status_details = stored_map(row.text(3));
  execution.version = row.integer(4);
  execution.execution_number = row.integer(5);
  execution.queued = stored_time(row.integer(6));
  if (const auto started = row.optional_integer(7)) execution.started = stored_time(*started);
  execution.updated = stored_time(row.integer(8));
  return execution;
}

std::optional<JobExecution> find_execution(store::Transaction& tx, const std::string& job_id,
                                           const std::string& thing) {
  const auto row = tx.query_one("SELECT " + std::string(kExecutionColumns) +
                                    " FROM job_executions j WHERE j.job_id = $1 AND j.thing = $2",
                                {job_id, thing});
  if (!row) return std::nullopt;
  return read_execution(*row);
}

void change_execution(store::Transaction& tx, JobExecution& execution, base::Timestamp now) {
  ++execution.version;
  execution.updated = now;
  if (execution.status == JobStatus::in_progress && !execution.started) execution.started = now;
  store::SqlValue started;
  if (execution.started) started = to_stored(*execution.started);
  tx.execute(
      "UPDATE job_executions SET status = $1, status_details = $2, version = $3, "
      "execution_number = $4, queued_ms = $5, started_ms = $6, updated_ms = $7 "
      "WHERE job_id = $8 AND thing = $9",
      {std::string(to_string(execution.status)), to_stored(execution.status_details),
       execution.version, execution.execution_number, to_stored(execution.queued), started,
       to_stored(execution.updated), execution.job_id, execution.thing});
}

void queue_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                     base::Timestamp now) {
  std::optional<JobExecution> earlier = find_execution(tx, job_id, thing);
  if (!earlier) {
    tx.execute(
        "INSERT INTO job_executions (job_id, thing, status, status_details, version, "
        "execution_number, queued_ms, updated_ms) VALUES ($1, $2, 'QUEUED', '{}', 1, 1, $3, $3)",
        {job_id, thing, to_stored(now)});
    return;
  }
  if (!is_terminal(earlier->status)) return;
  earlier->status = JobStatus::queued;
  earlier->status_details.clear();
  earlier->started.reset();
  ++earlier->execution_number;
  earlier->queued = std::max(now, earlier->queued + std::chrono::seconds(1));
  change_execution(tx, *earlier, now);
}

std::vector<std::string> cancel_executions(store::Transaction& tx, const std::string& job_id,
                                           std::string_view reason, base::Timestamp now) {
  std::vector<std::string> things;
  for (const store::Row& row : tx.query("SELECT " + std::string(kExecutionColumns) +
                                            " FROM job_executions j WHERE j.job_id = $1 "
                                            "AND j.status IN ('QUEUED', 'IN_PROGRESS')",
                                        {job_id})) {
    JobExecution execution = read_execution(row);
    things.push_back(execution.thing);
    cancel(tx, std::move(execution), reason, now);
  }
  return things;
}

bool cancel_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                      std::string_view reason, base::Timestamp now) {
  std::optional<JobExecution> execution = find_execution(tx, job_id, thing);
  if (!execution || is_terminal(execution->status)) return false;
  cancel(tx, *execution, reason, now);
  return true;
}

bool settle_memberships(store::Transaction& tx, const std::string& thing, base::Timestamp now) {
  std::vector<std::string> targets;
  for (const std::string& group : groups_reaching(tx, thing)) {
    targets.push_back(Target{Target::Kind::thing_group, group}.key());
  }
  bool changed = false;
  for (const store::Row& row :
       tx.query("SELECT d.id, d.target, j.status FROM deployments d LEFT JOIN job_executions j "
                "ON j.job_id = d.id AND j.thing = $1 "
                "WHERE d.state = 'CURRENT' AND d.target LIKE 'thinggroup/%'",
                {thing})) {
    const std::string& job_id = row.text(0);
    const bool is_member = std::find(targets.begin(), targets.end(), row.text(1)) != targets.end();
    const auto status = row.optional_text(2);
    if (is_member && (!status || *status == to_string(JobStatus::canceled))) {
      queue_execution(tx, job_id, thing, now);
      changed = true;
    } else if (!is_member && status && *status != to_string(JobStatus::canceled)) {
      // Also what has finished: it must not count for the group any more, and must come again if
      // the device joins again.
      cancel(tx, *find_execution(tx, job_id, thing), "the device has left the thing group", now);
      changed = true;
    }
  }
  return changed;
}

}  // namespace andon::control
