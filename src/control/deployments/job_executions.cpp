// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/job_executions.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/deployments/standing.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/own_events.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/messages/deployment_progress.hpp"

namespace andon::control {
namespace {

void cancel(store::Transaction& tx, JobExecution execution, std::string_view reason,
            base::Timestamp now) {
  execution.status = JobStatus::canceled;
  execution.status_details = fleet::to_job_details({.failure_cause = std::string(reason)});
  change_execution(tx, execution, now);
}

// Will its rollout, which keeps to a rate, still reach `thing`?
bool is_still_to_come(store::Transaction& tx, const std::string& job_id, const std::string& thing) {
  return tx
      .query_one(
          "SELECT 1 FROM rollouts r JOIN deployments d ON d.id = r.deployment_id "
          "WHERE r.deployment_id = $1 AND r.position < $2 AND d.job_configuration <> ''",
          {job_id, thing})
      .has_value();
}

}  // namespace

bool may_move(JobStatus from, JobStatus to) {
  if (is_terminal(from)) return false;
  return to != JobStatus::queued;  // an end without IN_PROGRESS first is allowed, as in AWS
}

std::string reason_of(const JobExecution& execution) {
  const fleet::DeploymentDetails details = fleet::read_job_details(execution.status_details);
  const std::string& status = details.detailed_status;
  const std::string& cause = details.failure_cause;
  if (!status.empty() && !cause.empty()) return status + ": " + cause;
  if (!status.empty() || !cause.empty()) return status + cause;
  const std::string progress = fleet::describe(fleet::read_job_progress(execution.status_details));
  switch (execution.status) {
    case JobStatus::queued:
      return "waiting for the device to take it";
    case JobStatus::in_progress:
      return progress.empty() ? "the device is working on it" : progress;
    case JobStatus::succeeded:
      return "SUCCESSFUL";
    case JobStatus::failed:
      return "the device reported a failure without a cause";
    case JobStatus::rejected:
      return "the device rejected it without a cause";
    case JobStatus::timed_out:
      return "the device did not finish in time";
    case JobStatus::canceled:
      return "canceled";
  }
  return {};
}

JobExecution read_execution(const store::Row& row) {
  JobExecution execution;
  execution.job_id = row.text(0);
  execution.thing = row.text(1);
  const auto status = fleet::parse_job_status(row.text(2));
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
  if (!is_terminal(execution.status)) return;
  if (!tx.query_one("SELECT 1 FROM deployments WHERE id = $1", {execution.job_id})) return;
  base::json::object details;
  for (const auto& [key, value] : execution.status_details) details[key] = value;
  Outbox::append(tx, kDeploymentEvent, execution.thing, now,
                 base::to_text(base::json::object{{"deployment", execution.job_id},
                                                  {"status", to_string(execution.status)},
                                                  {"details", std::move(details)}}));
}

bool insert_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                      base::Timestamp now) {
  return tx.execute(
             "INSERT INTO job_executions (job_id, thing, status, status_details, version, "
             "execution_number, queued_ms, updated_ms) "
             "VALUES ($1, $2, 'QUEUED', '{}', 1, 1, $3, $3) ON CONFLICT (job_id, thing) DO NOTHING",
             {job_id, thing, to_stored(now)}) > 0;
}

void queue_execution(store::Transaction& tx, const std::string& job_id, const std::string& thing,
                     base::Timestamp now) {
  if (insert_execution(tx, job_id, thing, now)) return;
  std::optional<JobExecution> earlier = find_execution(tx, job_id, thing);
  if (!is_terminal(earlier->status)) return;
  earlier->status = JobStatus::queued;
  earlier->status_details.clear();
  earlier->started.reset();
  ++earlier->execution_number;
  earlier->queued = std::max(now, earlier->queued + std::chrono::seconds(1));
  change_execution(tx, *earlier, now);
}

std::vector<std::string> cancel_executions(store::Transaction& tx, const std::string& job_id,
                                           std::string_view reason, std::size_t limit,
                                           base::Timestamp now) {
  std::vector<std::string> things;
  for (const store::Row& row : tx.query("SELECT " + std::string(kExecutionColumns) +
                                            " FROM job_executions j WHERE j.job_id = $1 "
                                            "AND j.status IN ('IN_PROGRESS', 'QUEUED') LIMIT $2",
                                        {job_id, static_cast<std::int64_t>(limit)})) {
    JobExecution execution = read_execution(row);
    things.push_back(execution.thing);
    cancel(tx, std::move(execution), reason, now);
  }
  return things;
}

void cancel_superseded(store::Transaction& tx, const std::string& job_id, const std::string& behalf,
                       const std::string& thing, base::Timestamp now) {
  for (const store::Row& row :
       tx.query("SELECT " + std::string(kExecutionColumns) +
                    " FROM job_executions j JOIN deployments d ON d.id = j.job_id "
                    "WHERE j.thing = $1 AND j.status IN ('IN_PROGRESS', 'QUEUED') "
                    "AND j.job_id <> $2 AND d.behalf = $3",
                {thing, job_id, behalf})) {
    cancel(tx, read_execution(row), kSuperseded, now);
  }
}

bool settle_memberships(store::Transaction& tx, const std::string& thing, base::Timestamp now) {
  const std::set<std::string> groups = group_keys_of(tx, thing);
  std::map<std::string, std::string> wanted;  // by the group that it is for
  for (const std::string& group : groups) {
    if (std::string id = Standing(tx, group).choose(groups); !id.empty()) {
      wanted[group] = std::move(id);
    }
  }
  bool changed = false;
  std::set<std::string> uncovered;  // groups whose own deployment stands again
  for (const store::Row& row :
       tx.query("SELECT j.job_id, d.target, d.behalf, j.status FROM job_executions j "
                "JOIN deployments d ON d.id = j.job_id WHERE j.thing = $1 "
                "AND j.status <> 'CANCELED' AND d.state = 'CURRENT' "
                "AND d.target LIKE 'thinggroup/%'",
                {thing})) {
    const std::string& behalf = row.text(2);
    const auto standing = wanted.find(behalf);
    if (standing != wanted.end() && standing->second == row.text(0)) continue;
    const bool is_member = groups.contains(row.text(1)) && groups.contains(behalf);
    const auto status = fleet::parse_job_status(row.text(3));
    // A sub-deployment stands in its place now; what became of it before stays true.
    if (is_member && status && is_terminal(*status)) continue;
    // Also what has finished: it must not count for the group any more, and must come again if
    // the device joins again.
    cancel(tx, *find_execution(tx, row.text(0), thing),
           is_member ? kSuperseded : "the device has left the thing group", now);
    if (!is_member && row.text(1) != behalf) uncovered.insert(behalf);
    changed = true;
  }
  for (const auto& [group, id] : wanted) {
    const std::optional<JobExecution> had = find_execution(tx, id, thing);
    if (!had && is_still_to_come(tx, id, thing)) continue;
    if (had && had->status != JobStatus::canceled && !uncovered.contains(group)) continue;
    queue_execution(tx, id, thing, now);
    changed = true;
  }
  if (changed) Outbox::append(tx, kJobsChanged, thing, now);
  return changed;
}

}  // namespace andon::control
