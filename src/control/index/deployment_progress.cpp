// SPDX-License-Identifier: Apache-2.0
#include "control/index/deployment_progress.hpp"

#include "control/deployments/job_executions.hpp"

namespace andon::control {

Page<DeviceProgress> progress_of(store::Database& database, const std::string& deployment_id,
                                 const ProgressFilter& filter, const PageRequest& page) {
  // As kExecutionColumns reads it: what a deployment that is over left open is canceled.
  constexpr std::string_view kStatus =
      "CASE WHEN j.status IN ('IN_PROGRESS', 'QUEUED') AND d.state <> 'CURRENT' THEN 'CANCELED' "
      "ELSE j.status END";
  std::vector<store::SqlValue> values{deployment_id, page.after,
                                      static_cast<std::int64_t>(page.limit + 1)};
  std::string sql = "SELECT " + std::string(kExecutionColumns) +
                    " FROM job_executions j JOIN deployments d ON d.id = j.job_id "
                    "WHERE j.job_id = $1 AND j.thing > $2";
  const auto only = [&](std::string_view what, const std::string& value) {
    values.emplace_back(value);
    sql += " AND " + std::string(what) + " = $" + std::to_string(values.size());
  };
  if (filter.status) only(kStatus, std::string(to_string(*filter.status)));
  if (!filter.thing.empty()) only("j.thing", filter.thing);
  sql += " ORDER BY j.thing LIMIT $3";
  return database.read([&](store::Transaction& tx) {
    Page<DeviceProgress> found;
    for (const store::Row& row : tx.query(sql, values)) {
      if (found.items.size() == page.limit) {
        found.next = found.items.back().thing;
        break;
      }
      const JobExecution execution = read_execution(row);
      auto details = fleet::read_job_details(execution.status_details);
      found.items.push_back({.thing = execution.thing,
                             .status = execution.status,
                             .modified = execution.updated,
                             .reason = reason_of(execution),
                             .progress = execution.status == JobStatus::in_progress
                                             ? fleet::read_job_progress(execution.status_details)
                                             : fleet::DeploymentProgress(),
                             .error_stack = std::move(details.error_stack),
                             .error_types = std::move(details.error_types)});
    }
    return found;
  });
}

std::map<JobStatus, std::int64_t> progress_tally(store::Database& database,
                                                 const std::string& deployment_id) {
  return database.read([&](store::Transaction& tx) {
    std::map<JobStatus, std::int64_t> counts;
    const auto state = tx.query_one("SELECT state FROM deployments WHERE id = $1", {deployment_id});
    const bool is_over = !state || state->text(0) != "CURRENT";
    for (const store::Row& row :
         tx.query("SELECT status, count(*) FROM job_executions WHERE job_id = $1 GROUP BY status",
                  {deployment_id})) {
      auto status = fleet::parse_job_status(row.text(0)).value_or(JobStatus::canceled);
      if (is_over && !fleet::is_terminal(status)) status = JobStatus::canceled;
      counts[status] += row.integer(1);
    }
    return counts;
  });
}

}  // namespace andon::control
