// SPDX-License-Identifier: Apache-2.0
#include "control/device_jobs.hpp"

#include <utility>

#include "base/error.hpp"
#include "control/deployment_shadow.hpp"
#include "control/job_executions.hpp"
#include "control/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNamespace = "namespace-aws-gg-deployment";

std::optional<JobExecution> next_execution(store::Transaction& tx, const std::string& thing) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kExecutionColumns) +
          " FROM job_executions j JOIN deployments d ON d.id = j.job_id "
          "WHERE j.thing = $1 AND j.status IN ('IN_PROGRESS', 'QUEUED') "
          "ORDER BY j.status, j.queued_ms, d.created_ms, d.id LIMIT 1",  // IN_PROGRESS < QUEUED
      {thing});
  if (!row) return std::nullopt;
  return read_execution(*row);
}

std::optional<json::object> read_document(store::Transaction& tx, const std::string& job_id) {
  const auto row = tx.query_one("SELECT document FROM deployments WHERE id = $1", {job_id});
  if (!row) return std::nullopt;
  return stored_object(row->text(0));
}

// A list that the device sent as JSON text; what is not one counts as empty.
std::vector<std::string> read_codes(const std::map<std::string, std::string>& details,
                                    std::string_view key) {
  const auto found = details.find(std::string(key));
  if (found == details.end()) return {};
  std::vector<std::string> codes;
  try {
    const json::value value = base::parse_json(found->second, key);
    if (!value.is_array()) return {};
    for (const json::value& item : value.get_array()) {
      if (item.is_string()) codes.emplace_back(item.get_string());
    }
  } catch (const Error&) {
    return {};
  }
  return codes;
}

std::string describe(const JobExecution& execution) {
  const auto detail = [&](std::string_view key) {
    const auto found = execution.status_details.find(std::string(key));
    return found == execution.status_details.end() ? std::string() : found->second;
  };
  const std::string status = detail(kDetailedStatus);
  const std::string cause = detail(kFailureCause);
  if (!status.empty() && !cause.empty()) return status + ": " + cause;
  if (!status.empty() || !cause.empty()) return status + cause;
  switch (execution.status) {
    case JobStatus::queued:
      return "waiting for the device to take it";
    case JobStatus::in_progress:
      return "the device is working on it";
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

json::object shadow_report(const JobExecution& execution, const std::string& configuration_arn) {
  json::object details;
  const auto detailed = execution.status_details.find(std::string(kDetailedStatus));
  if (detailed != execution.status_details.end()) details["detailedStatus"] = detailed->second;
  const auto cause = execution.status_details.find(std::string(kFailureCause));
  if (cause != execution.status_details.end()) details["failureCause"] = cause->second;
  return {{"fleetConfigurationArnForStatus", configuration_arn},
          {"status", to_string(execution.status)},
          {"statusDetails", std::move(details)}};
}

JobUpdateResult reject(JobRejection rejection, std::string message,
                       std::optional<JobExecution> execution = std::nullopt) {
  return {rejection, std::move(message), std::move(execution)};
}

}  // namespace

std::string_view to_string(JobRejection rejection) {
  switch (rejection) {
    case JobRejection::resource_not_found:
      return "ResourceNotFound";
    case JobRejection::version_mismatch:
      return "VersionMismatch";
    case JobRejection::terminal_state_reached:
      return "TerminalStateReached";
    case JobRejection::invalid_state_transition:
      return "InvalidStateTransition";
  }
  throw Error(ErrorCode::internal, "a job rejection has no name");
}

std::int64_t to_job_seconds(base::Timestamp time) {
  return base::to_epoch_millis(time) / 1000;
}

json::object describe_execution(const JobExecution& execution,
                                const std::optional<json::object>& document) {
  json::object object{{"jobId", execution.job_id},
                      {"thingName", execution.thing},
                      {"status", to_string(execution.status)},
                      {"queuedAt", to_job_seconds(execution.queued)},
                      {"lastUpdatedAt", to_job_seconds(execution.updated)},
                      {"versionNumber", execution.version},
                      {"executionNumber", execution.execution_number}};
  if (execution.started) object["startedAt"] = to_job_seconds(*execution.started);
  if (!execution.status_details.empty()) {
    json::object details;
    for (const auto& [key, value] : execution.status_details) details[key] = value;
    object["statusDetails"] = std::move(details);
  }
  if (document) object["jobDocument"] = *document;
  return object;
}

DeviceJobs::DeviceJobs(store::Database& database, Notifier& notifier, const base::Clock& clock,
                       Arns arns)
    : database_(database), notifier_(notifier), clock_(clock), arns_(std::move(arns)) {}

std::optional<JobExecution> DeviceJobs::next(const std::string& thing) const {
  std::optional<JobExecution> execution;
  database_.read([&](store::Transaction& tx) { execution = next_execution(tx, thing); });
  return execution;
}

std::optional<JobExecution> DeviceJobs::find(const std::string& thing,
                                             const std::string& job_id) const {
  std::optional<JobExecution> execution;
  database_.read([&](store::Transaction& tx) { execution = find_execution(tx, job_id, thing); });
  return execution;
}

std::optional<json::object> DeviceJobs::document(const std::string& job_id) const {
  std::optional<json::object> document;
  database_.read([&](store::Transaction& tx) { document = read_document(tx, job_id); });
  return document;
}

JobUpdateResult DeviceJobs::update(const std::string& thing, const std::string& job_id,
                                   const JobUpdate& update) {
  JobUpdateResult result;
  database_.write([&](store::Transaction& tx) {
    std::optional<JobExecution> execution = find_execution(tx, job_id, thing);
    if (!execution) {
      result = reject(JobRejection::resource_not_found,
                      "there is no job " + job_id + " for thing " + thing);
      return;
    }
    const std::string is_now = "the job is " + std::string(to_string(execution->status));
    if (is_terminal(execution->status)) {
      result = reject(JobRejection::terminal_state_reached, is_now, execution);
      return;
    }
    if (update.expected_version && *update.expected_version != execution->version) {
      result = reject(JobRejection::version_mismatch,
                      "the job has version " + std::to_string(execution->version), execution);
      return;
    }
    if (!may_move(execution->status, update.status)) {
      result = reject(JobRejection::invalid_state_transition, is_now, execution);
      return;
    }
    execution->status = update.status;
    if (!update.status_details.empty()) execution->status_details = update.status_details;
    change_execution(tx, *execution, clock_.now());
    if (is_terminal(execution->status)) {
      const auto row =
          tx.query_one("SELECT target, revision FROM deployments WHERE id = $1", {job_id});
      if (row->text(0) == "thing/" + thing) {
        const std::string arn = arns_.configuration(row->text(0), row->integer(1));
        set_reported_status(tx, thing, shadow_report(*execution, arn), clock_.now());
      }
    }
    result.execution = std::move(execution);
  });
  if (!result.rejection && is_terminal(result.execution->status)) notify(thing);
  return result;
}

Page<EffectiveDeployment> DeviceJobs::effective_deployments(const std::string& thing,
                                                            const PageRequest& page) const {
  Page<EffectiveDeployment> result;
  const auto [before_ms, before_id] = read_time_key(page.after);
  database_.read([&, before = before_ms, id = before_id](store::Transaction& tx) {
    const auto rows = tx.query("SELECT " + std::string(kExecutionColumns) +
                                   ", d.name, d.target, d.created_ms FROM job_executions j "
                                   "JOIN deployments d ON d.id = j.job_id "
                                   "WHERE j.thing = $1 AND d.state <> 'INACTIVE' "
                                   "AND (d.created_ms < $2 OR (d.created_ms = $2 AND d.id < $3)) "
                                   "ORDER BY d.created_ms DESC, d.id DESC LIMIT $4",
                               {thing, before, id, static_cast<std::int64_t>(page.limit + 1)});
    for (const store::Row& row : rows) {
      if (result.items.size() == page.limit) {
        const EffectiveDeployment& last = result.items.back();
        result.next = time_key(to_stored(last.created), last.deployment_id);
        break;
      }
      EffectiveDeployment effective;
      effective.execution = read_execution(row);
      effective.deployment_id = effective.execution.job_id;
      effective.deployment_name = row.text(9);
      effective.target_arn = arns_.target(row.text(10));
      effective.created = stored_time(row.integer(11));
      effective.reason = describe(effective.execution);
      effective.error_stack = read_codes(effective.execution.status_details, kErrorStack);
      effective.error_types = read_codes(effective.execution.status_details, kErrorTypes);
      result.items.push_back(std::move(effective));
    }
  });
  return result;
}

void DeviceJobs::notify(const std::string& thing) {
  const std::lock_guard lock(notify_mutex_);
  std::optional<JobExecution> next;
  std::optional<json::object> document;
  json::array queued;
  json::array in_progress;
  database_.read([&](store::Transaction& tx) {
    next = next_execution(tx, thing);
    if (next) document = read_document(tx, next->job_id);
    for (const store::Row& row : tx.query("SELECT " + std::string(kExecutionColumns) +
                                              " FROM job_executions j WHERE j.thing = $1 "
                                              "AND j.status IN ('IN_PROGRESS', 'QUEUED') "
                                              "ORDER BY j.queued_ms, j.job_id",
                                          {thing})) {
      const JobExecution execution = read_execution(row);
      json::object summary = describe_execution(execution, std::nullopt);
      summary.erase("thingName");
      summary.erase("status");
      summary.erase("statusDetails");
      (execution.status == JobStatus::queued ? queued : in_progress)
          .emplace_back(std::move(summary));
    }
  });
  const std::int64_t now = to_job_seconds(clock_.now());
  const std::string prefix = "$aws/things/" + thing + "/jobs/";
  json::object notify_next{{"timestamp", now}};
  if (next) notify_next["execution"] = describe_execution(*next, document);
  json::object jobs;
  if (!in_progress.empty()) jobs["IN_PROGRESS"] = std::move(in_progress);
  if (!queued.empty()) jobs["QUEUED"] = std::move(queued);
  const json::object list{{"timestamp", now}, {"jobs", std::move(jobs)}};
  notifier_.publish(prefix + "notify-next-" + std::string(kNamespace), base::to_text(notify_next));
  notifier_.publish(prefix + "notify-" + std::string(kNamespace), base::to_text(list));
}

void DeviceJobs::notify_shadow(const std::string& thing) {
  const std::lock_guard lock(notify_mutex_);
  std::optional<json::object> shadow;
  database_.read([&](store::Transaction& tx) { shadow = read_shadow(tx, thing, clock_.now()); });
  if (!shadow) return;
  notifier_.publish("$aws/things/" + thing + "/shadow/name/" + std::string(kDeploymentShadow) +
                        "/update/accepted",
                    base::to_text(*shadow));
}

void DeviceJobs::notify_all_pending() {
  std::vector<std::pair<std::string, bool>> things;  // and: does its own shadow wait?
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query(
             "SELECT j.thing, MAX(CASE WHEN d.target = 'thing/' || j.thing THEN 1 ELSE 0 END) "
             "FROM job_executions j JOIN deployments d ON d.id = j.job_id "
             "WHERE j.status IN ('QUEUED', 'IN_PROGRESS') GROUP BY j.thing ORDER BY j.thing")) {
      things.emplace_back(row.text(0), row.integer(1) != 0);
    }
  });
  for (const auto& [thing, has_shadow] : things) {
    notify(thing);
    if (has_shadow) notify_shadow(thing);
  }
}

void DeviceJobs::expire() {
  std::vector<std::string> things;
  const base::Timestamp now = clock_.now();
  const auto late = [&](store::Transaction& tx) {
    return tx.query("SELECT " + std::string(kExecutionColumns) +
                        ", d.timeout_ms FROM job_executions j "
                        "JOIN deployments d ON d.id = j.job_id WHERE j.status = 'IN_PROGRESS' "
                        "AND d.timeout_ms IS NOT NULL AND j.started_ms + d.timeout_ms < $1",
                    {to_stored(now)});
  };
  bool any = false;
  database_.read([&](store::Transaction& tx) { any = !late(tx).empty(); });
  if (!any) return;
  database_.write([&](store::Transaction& tx) {
    for (const store::Row& row : late(tx)) {
      JobExecution execution = read_execution(row);
      execution.status = JobStatus::timed_out;
      execution.status_details = {
          {std::string(kFailureCause), "the device was at it for more than " +
                                           std::to_string(row.integer(9) / 60'000) +
                                           " min (inProgressTimeoutInMinutes)"}};
      change_execution(tx, execution, now);
      things.push_back(execution.thing);
    }
  });
  for (const std::string& thing : things) notify(thing);
}

}  // namespace andon::control
