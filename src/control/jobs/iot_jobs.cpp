// SPDX-License-Identifier: Apache-2.0
#include "control/jobs/iot_jobs.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/deployments/rollout_rules.hpp"
#include "control/jobs/job_rows.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

[[noreturn]] void is_over(const IotJob& job) {
  throw Error(ErrorCode::failed_precondition,
              "job \"" + job.id + "\" is " + std::string(to_string(job.state)) + " already");
}

std::optional<store::Row> find_row(store::Transaction& tx, const std::string& id) {
  return tx.query_one("SELECT " + std::string(kIotJobColumns) + " FROM iot_jobs WHERE id = $1",
                      {id});
}

// What a new job's schedule says.
struct Times {
  IotJobState state = IotJobState::in_progress;
  std::int64_t first_rollout = 0;
  store::SqlValue end;
};

Times times_of(const json::object& configuration, base::Timestamp now) {
  const fleet::JobSchedule schedule = schedule_of(configuration);
  const base::JsonReader reader(configuration, "", {.separator = ": "});
  fleet::check_times(reader.child_or_empty("schedulingConfig"), schedule, now);
  Times times;
  if (schedule.start) {
    times.state = IotJobState::scheduled;
    times.first_rollout = to_stored(*schedule.start);
  }
  if (schedule.end) times.end = to_stored(*schedule.end);
  return times;
}

}  // namespace

IotJobs::IotJobs(store::Database& database, Outbox& outbox, const base::Clock& clock, Arns arns)
    : database_(database), outbox_(outbox), clock_(clock), arns_(std::move(arns)) {}

IotJob IotJobs::require(store::Transaction& tx, const std::string& id) const {
  const auto row = find_row(tx, id);
  if (!row) throw Error(ErrorCode::not_found, "there is no job \"" + id + "\"");
  return read(tx, *row);
}

IotJob IotJobs::read(store::Transaction& tx, const store::Row& row) const {
  IotJob job = read_iot_job(row, arns_);
  job.counts = count_executions(tx, job.id);
  const fleet::JobSchedule schedule = schedule_of(job.plan.configuration);
  if (!schedule.windows.empty() && goes_on(job.state) && !job.is_ended) {
    job.next_window = fleet::next_rollout(schedule, clock_.now());
  }
  return job;
}

IotJob IotJobs::create(const NewIotJob& wanted) {
  check_job_id(wanted.id, "jobId");
  const fleet::JobConfiguration configuration = check_plan(wanted.plan);
  const Times times = times_of(wanted.plan.configuration, clock_.now());
  IotJob made;
  database_.write([&](store::Transaction& tx) {
    const std::vector<Target> targets = require_targets(tx, wanted.targets);
    if (find_row(tx, wanted.id) ||
        tx.query_one("SELECT 1 FROM deployments WHERE id = $1", {wanted.id})) {
      throw Error(ErrorCode::already_exists, "job \"" + wanted.id + "\" exists already");
    }
    if (tx.query_one("SELECT COUNT(*) FROM iot_jobs")->integer(0) >= kMostIotJobs) {
      throw Error(ErrorCode::resource_exhausted, "there are 10000 jobs: delete some first");
    }
    const std::int64_t now = to_stored(clock_.now());
    tx.execute(
        "INSERT INTO iot_jobs (id, targets, selection, document, document_source, description, "
        "configuration, timeout_ms, template_arn, state, created_ms, updated_ms, pace_ms, end_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)",
        {wanted.id, to_stored_targets(targets), std::string(to_string(wanted.selection)),
         wanted.plan.document, wanted.plan.document_source, wanted.plan.description,
         base::to_text(wanted.plan.configuration), timeout_of(configuration), wanted.template_arn,
         std::string(to_string(times.state)), now, times.first_rollout, times.end});
    made = require(tx, wanted.id);
  });
  outbox_.wake();
  return made;
}

std::optional<IotJob> IotJobs::find(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<IotJob> {
    const auto row = find_row(tx, id);
    if (!row) return std::nullopt;
    return read(tx, *row);
  });
}

IotJob IotJobs::require(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) { return require(tx, id); });
}

Page<IotJob> IotJobs::list(const Filter& filter, const PageRequest& page) const {
  constexpr std::int64_t kStep = 200;
  const std::string group =
      filter.group.empty() ? "" : Target{Target::Kind::thing_group, filter.group}.key();
  Page<IotJob> result;
  database_.read([&](store::Transaction& tx) {
    auto [before, before_id] = read_time_key(page.after);
    while (true) {
      const auto rows = tx.query("SELECT " + std::string(kIotJobColumns) +
                                     " FROM iot_jobs WHERE (created_ms, id) < ($1, $2) "
                                     "ORDER BY created_ms DESC, id DESC LIMIT $3",
                                 {before, before_id, kStep});
      for (const store::Row& row : rows) {
        IotJob job = read_iot_job(row, arns_);
        before = row.integer(12);
        before_id = job.id;
        if (filter.state && *filter.state != job.state) continue;
        if (filter.selection && *filter.selection != job.selection) continue;
        if (!group.empty()) {
          bool is_target = false;
          for (const Target& target : stored_targets(row.text(1))) {
            is_target = is_target || target.key() == group;
          }
          if (!is_target) continue;
        }
        if (result.items.size() == page.limit) {
          result.next = time_key(to_stored(result.items.back().created), result.items.back().id);
          return;
        }
        result.items.push_back(std::move(job));
      }
      if (rows.size() < static_cast<std::size_t>(kStep)) return;
    }
  });
  return result;
}

void IotJobs::update(const std::string& id, const std::optional<std::string>& description,
                     const json::object& configuration) {
  database_.write([&](store::Transaction& tx) {
    IotJob job = require(tx, id);
    if (!goes_on(job.state)) is_over(job);
    if (description) job.plan.description = *description;
    for (const auto& [key, value] : configuration) job.plan.configuration[key] = value;
    const fleet::JobConfiguration read = check_plan(job.plan);
    tx.execute(
        "UPDATE iot_jobs SET description = $2, configuration = $3, timeout_ms = $4, "
        "updated_ms = $5, has_news = 1 WHERE id = $1",
        {id, job.plan.description, base::to_text(job.plan.configuration), timeout_of(read),
         to_stored(clock_.now())});
  });
  outbox_.wake();
}

IotJob IotJobs::add_targets(const std::string& id, const std::vector<std::string>& targets,
                            const std::string& comment) {
  IotJob job;
  database_.write([&](store::Transaction& tx) {
    job = require(tx, id);
    if (!goes_on(job.state)) is_over(job);
    if (job.is_ended) {
      throw Error(ErrorCode::failed_precondition,
                  "the end time of job \"" + id + "\" has passed: nobody else gets it");
    }
    if (job.selection != TargetSelection::continuous) {
      throw Error(ErrorCode::failed_precondition,
                  "job \"" + id + "\" is a SNAPSHOT: only a CONTINUOUS one gets further targets");
    }
    std::vector<std::string> all = job.targets;
    for (const std::string& target : targets) {
      if (std::find(all.begin(), all.end(), target) == all.end()) all.push_back(target);
    }
    tx.execute(
        "UPDATE iot_jobs SET targets = $2, comment = $3, updated_ms = $4, rolling = 1, "
        "target_index = 0, position = '' WHERE id = $1",
        {id, to_stored_targets(require_targets(tx, all)), comment, to_stored(clock_.now())});
    job = require(tx, id);
  });
  outbox_.wake();
  return job;
}

IotJob IotJobs::cancel(const std::string& id, const Cancel& cancel) {
  IotJob job;
  database_.write([&](store::Transaction& tx) {
    job = require(tx, id);
    if (!goes_on(job.state)) is_over(job);
    const bool is_forced = cancel.force == Force::yes;
    tx.execute(
        "UPDATE iot_jobs SET state = 'CANCELED', reason_code = $2, comment = $3, is_forced = $4, "
        "updated_ms = $5, completed_ms = $5, rolling = 0, end_ms = NULL, has_news = 1 "
        "WHERE id = $1",
        {id, cancel.reason_code, cancel.comment, std::int64_t{is_forced ? 1 : 0},
         to_stored(clock_.now())});
    job = require(tx, id);
  });
  outbox_.wake();
  return job;
}

void IotJobs::remove(const std::string& id, Force force) {
  database_.write([&](store::Transaction& tx) {
    const IotJob job = require(tx, id);
    const bool is_busy = goes_on(job.state) || job.counts.in_progress + job.counts.queued > 0;
    if (is_busy && force == Force::no) {
      throw Error(ErrorCode::failed_precondition,
                  "job \"" + id +
                      "\" goes on, or devices have it still: cancel it first, or "
                      "delete it by force");
    }
    tx.execute(
        "UPDATE iot_jobs SET state = 'DELETION_IN_PROGRESS', updated_ms = $2, rolling = 0, "
        "completed_ms = $2, end_ms = NULL, has_news = 1 WHERE id = $1",
        {id, to_stored(clock_.now())});
  });
  outbox_.wake();
}

std::optional<JobExecution> IotJobs::execution(const std::string& id,
                                               const std::string& thing) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<JobExecution> {
    if (!find_row(tx, id)) return std::nullopt;
    return find_execution(tx, id, thing);
  });
}

std::optional<base::Timestamp> IotJobs::deadline(const JobExecution& execution) const {
  if (execution.status != JobStatus::in_progress || !execution.started) return std::nullopt;
  const auto job = find(execution.job_id);
  if (!job) return std::nullopt;
  return fleet::in_progress_deadline(configuration_of(job->plan.configuration), *execution.started);
}

Page<JobExecution> IotJobs::executions_of(const std::string& id,
                                          const std::optional<JobStatus>& status,
                                          const PageRequest& page) const {
  Page<JobExecution> result;
  database_.read([&](store::Transaction& tx) {
    (void)require(tx, id);
    std::vector<store::SqlValue> values{id, page.after, static_cast<std::int64_t>(page.limit + 1)};
    if (status) values.emplace_back(std::string(to_string(*status)));
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kExecutionColumns) +
                      " FROM job_executions j WHERE j.job_id = $1 AND j.thing > $2 " +
                      (status ? "AND j.status = $4 " : "") + "ORDER BY j.thing LIMIT $3",
                  values)) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().thing;
        return;
      }
      result.items.push_back(read_execution(row));
    }
  });
  return result;
}

Page<JobExecution> IotJobs::executions_on(const std::string& thing,
                                          const std::optional<JobStatus>& status,
                                          const PageRequest& page) const {
  Page<JobExecution> result;
  database_.read([&](store::Transaction& tx) {
    require_thing(tx, thing);
    std::vector<store::SqlValue> values{thing, page.after,
                                        static_cast<std::int64_t>(page.limit + 1)};
    if (status) values.emplace_back(std::string(to_string(*status)));
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kExecutionColumns) +
                      " FROM job_executions j JOIN iot_jobs i ON i.id = j.job_id "
                      "WHERE j.thing = $1 AND j.job_id > $2 " +
                      (status ? "AND j.status = $4 " : "") + "ORDER BY j.job_id LIMIT $3",
                  values)) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().job_id;
        return;
      }
      result.items.push_back(read_execution(row));
    }
  });
  return result;
}

void IotJobs::cancel_execution(const std::string& id, const std::string& thing,
                               const CancelExecution& cancel) {
  database_.write([&](store::Transaction& tx) {
    (void)require(tx, id);
    auto execution = find_execution(tx, id, thing);
    if (!execution) {
      throw Error(ErrorCode::not_found,
                  "job \"" + id + "\" has no execution on thing \"" + thing + "\"");
    }
    if (cancel.expected_version && *cancel.expected_version != execution->version) {
      throw Error(ErrorCode::conflict, "the execution has version " +
                                           std::to_string(execution->version) + ", not " +
                                           std::to_string(*cancel.expected_version));
    }
    const bool is_begun = execution->status == JobStatus::in_progress;
    if (is_terminal(execution->status) || (is_begun && cancel.force == Force::no)) {
      throw Error(ErrorCode::failed_precondition,
                  "the execution is " + std::string(to_string(execution->status)) +
                      (is_begun ? ": force says to cancel it all the same" : " already"));
    }
    execution->status = JobStatus::canceled;
    for (const auto& [key, value] : cancel.details) execution->status_details[key] = value;
    change_execution(tx, *execution, clock_.now());
    Outbox::append(tx, kPlainJobsChanged, thing, clock_.now());
  });
  outbox_.wake();
}

void IotJobs::remove_execution(const std::string& id, const std::string& thing, std::int64_t number,
                               Force force) {
  database_.write([&](store::Transaction& tx) {
    (void)require(tx, id);
    const auto execution = find_execution(tx, id, thing);
    if (!execution || execution->execution_number != number) {
      throw Error(ErrorCode::not_found, "job \"" + id + "\" has no execution " +
                                            std::to_string(number) + " on thing \"" + thing + "\"");
    }
    if (!is_terminal(execution->status) && force == Force::no) {
      throw Error(ErrorCode::failed_precondition, "the execution is " +
                                                      std::string(to_string(execution->status)) +
                                                      ": cancel it first, or delete it by force");
    }
    tx.execute("DELETE FROM job_executions WHERE job_id = $1 AND thing = $2", {id, thing});
    Outbox::append(tx, kPlainJobsChanged, thing, clock_.now());
  });
  outbox_.wake();
}

}  // namespace andon::control
