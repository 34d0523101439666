// SPDX-License-Identifier: Apache-2.0
// The half of IotJobs that goes on by itself: devices get jobs, what they say counts, time passes.
#include <algorithm>
#include <limits>

#include "base/error/error.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/deployments/rollout_rules.hpp"
#include "control/jobs/iot_jobs.hpp"
#include "control/jobs/job_rows.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

constexpr std::size_t kStep = 200;  // devices a transaction

void put_back_news(store::Transaction& tx, const std::string& id) {
  tx.execute("UPDATE iot_jobs SET has_news = 1 WHERE id = $1", {id});
}

// Those that failed and may try once more are queued again; true where there may be more.
bool retry(store::Transaction& tx, const IotJob& job, const fleet::JobConfiguration& configuration,
           base::Timestamp now) {
  if (configuration.retries.empty()) return false;
  const auto most = std::ranges::max_element(
      configuration.retries, {}, [](const fleet::RetryCriterion& one) { return one.retries; });
  const auto rows = tx.query(
      "SELECT thing, status, retries FROM job_executions WHERE job_id = $1 "
      "AND status IN ('FAILED', 'TIMED_OUT') AND retries < $2 LIMIT $3",
      {job.id, most->retries, static_cast<std::int64_t>(kStep)});
  std::size_t again = 0;
  for (const store::Row& row : rows) {
    const auto status = fleet::parse_job_status(row.text(1));
    if (!status || !may_retry(configuration, *status, row.integer(2))) continue;
    queue_execution(tx, job.id, row.text(0), now);
    tx.execute("UPDATE job_executions SET retries = retries + 1 WHERE job_id = $1 AND thing = $2",
               {job.id, row.text(0)});
    Outbox::append(tx, kPlainJobsChanged, row.text(0), now);
    ++again;
  }
  return again == kStep;
}

// Of a job that is canceled: true where there may be more.
bool cancel_some(store::Transaction& tx, const IotJob& job, base::Timestamp now) {
  const std::string which = job.is_force_canceled || job.state != IotJobState::canceled
                                ? "('IN_PROGRESS', 'QUEUED')"
                                : "('QUEUED')";
  const auto rows = tx.query("SELECT " + std::string(kExecutionColumns) +
                                 " FROM job_executions j WHERE j.job_id = $1 AND j.status IN " +
                                 which + " LIMIT $2",
                             {job.id, static_cast<std::int64_t>(kStep)});
  for (const store::Row& row : rows) {
    JobExecution execution = read_execution(row);
    execution.status = JobStatus::canceled;
    change_execution(tx, execution, now);
    Outbox::append(tx, kPlainJobsChanged, execution.thing, now);
  }
  return rows.size() == kStep;
}

void finish(store::Transaction& tx, const std::string& id, IotJobState state,
            const std::string& reason, const std::string& comment, base::Timestamp now) {
  tx.execute(
      "UPDATE iot_jobs SET state = $2, reason_code = $3, comment = $4, completed_ms = $5, "
      "updated_ms = $5, rolling = 0, end_ms = NULL WHERE id = $1",
      {id, std::string(to_string(state)), reason, comment, to_stored(now)});
}

// False where nobody may be told now: the job is looked at again at the next maintenance window,
// or, where none comes any more, not before somebody changes it.
bool is_open(store::Transaction& tx, const IotJob& job, base::Timestamp now) {
  const auto next = fleet::next_rollout(schedule_of(job.plan.configuration), now);
  if (next && *next <= now) return true;
  const std::int64_t never = std::numeric_limits<std::int64_t>::max();
  tx.execute("UPDATE iot_jobs SET pace_ms = $2 WHERE id = $1",
             {job.id, next ? to_stored(*next) : never});
  return false;
}

}  // namespace

bool IotJobs::step() {
  std::optional<std::string> news;
  std::optional<std::string> ending;
  std::optional<std::string> rolling;
  database_.read([&](store::Transaction& tx) {
    // What was heard comes first: it may say that nobody else is to get the job.
    if (const auto row =
            tx.query_one("SELECT id FROM iot_jobs WHERE has_news = 1 ORDER BY id LIMIT 1")) {
      news = row->text(0);
      return;
    }
    if (const auto row =
            tx.query_one("SELECT id FROM iot_jobs WHERE end_ms <= $1 ORDER BY end_ms LIMIT 1",
                         {to_stored(clock_.now())})) {
      ending = row->text(0);
      return;
    }
    if (const auto row = tx.query_one(
            "SELECT id FROM iot_jobs WHERE rolling = 1 AND pace_ms <= $1 ORDER BY pace_ms LIMIT 1",
            {to_stored(clock_.now())})) {
      rolling = row->text(0);
    }
  });
  if (news) return settle(*news);
  if (ending) return end(*ending);
  return rolling && roll_out(*rolling);
}

bool IotJobs::roll_out(const std::string& id) {
  bool is_done = false;
  database_.write([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kIotJobColumns) +
            ", target_index, position, pace_ms FROM iot_jobs WHERE id = $1 AND rolling = 1",
        {id});
    if (!row) return;
    const IotJob job = read(tx, *row);
    const std::vector<Target> targets = stored_targets(row->text(1));
    auto index = static_cast<std::size_t>(row->integer(17));
    std::string position = row->text(18);
    fleet::RolloutPace pace{stored_time(row->integer(19))};
    const fleet::JobConfiguration configuration = configuration_of(job.plan.configuration);
    const base::Timestamp now = clock_.now();
    if (!is_open(tx, job, now)) {
      is_done = true;
      return;
    }
    const std::size_t most = fleet::may_start(configuration.rate, job.counts, pace, now, kStep);
    std::size_t started = 0;
    std::size_t looked_at = 0;
    while (index < targets.size() && started < most && looked_at < kStep) {
      const auto things = things_after(tx, targets[index], position, kStep - looked_at);
      for (const std::string& thing : things) {
        if (started == most) break;
        ++looked_at;
        position = thing;
        if (!insert_execution(tx, id, thing, now)) continue;
        Outbox::append(tx, kPlainJobsChanged, thing, now);
        ++started;
      }
      if (things.empty() || (position == things.back() && looked_at < kStep)) {
        ++index;
        position.clear();
      }
    }
    pace = fleet::after_starting(configuration.rate, job.counts, pace, now, started);
    const bool is_over = index >= targets.size();
    tx.execute(
        "UPDATE iot_jobs SET target_index = $2, position = $3, pace_ms = $4, rolling = $5, "
        "has_news = $6, state = 'IN_PROGRESS' WHERE id = $1",
        {id, static_cast<std::int64_t>(is_over ? 0 : index), is_over ? std::string() : position,
         to_stored(pace.next), std::int64_t{is_over ? 0 : 1}, std::int64_t{is_over ? 1 : 0}});
    is_done = started > 0 || looked_at > 0 || is_over;
  });
  if (is_done) outbox_.wake();
  return is_done;
}

bool IotJobs::end(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    const IotJob job = require(tx, id);
    const base::Timestamp now = clock_.now();
    const fleet::JobEnd at_end = schedule_of(job.plan.configuration).at_end;
    tx.execute(
        "UPDATE iot_jobs SET state = 'IN_PROGRESS', is_ended = 1, end_ms = NULL, rolling = 0, "
        "is_forced = $2, updated_ms = $3, has_news = 1 WHERE id = $1",
        {id, std::int64_t{at_end == fleet::JobEnd::force_cancel ? 1 : 0}, to_stored(now)});
    if (at_end == fleet::JobEnd::stop_rollout) return;
    finish(tx, id, IotJobState::canceled, "END_TIME", "its end time has passed", now);
  });
  outbox_.wake();
  return true;
}

bool IotJobs::settle(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kIotJobColumns) + " FROM iot_jobs WHERE id = $1", {id});
    if (!row) return;
    tx.execute("UPDATE iot_jobs SET has_news = 0 WHERE id = $1", {id});
    IotJob job = read(tx, *row);
    const base::Timestamp now = clock_.now();
    if (job.state == IotJobState::deletion_in_progress) {
      if (cancel_some(tx, job, now)) return put_back_news(tx, id);
      tx.execute("DELETE FROM iot_jobs WHERE id = $1", {id});
      tx.execute("DELETE FROM tags WHERE arn = $1", {job.arn});
      return;
    }
    if (job.state == IotJobState::in_progress) {
      const fleet::JobConfiguration configuration = configuration_of(job.plan.configuration);
      if (retry(tx, job, configuration, now)) return put_back_news(tx, id);
      job.counts = count_executions(tx, id);
      if (const auto criterion = fleet::find_abort(configuration, job.counts)) {
        finish(tx, id, IotJobState::canceled, "ABORTED",
               fleet::describe_abort(*criterion, job.counts), now);
        job.state = IotJobState::canceled;
      } else if (!job.is_rolling_out && job.counts.pending() == 0 &&
                 (job.is_ended || job.selection == TargetSelection::snapshot)) {
        finish(tx, id, IotJobState::completed, job.reason_code, job.comment, now);
      }
    }
    if (job.state != IotJobState::canceled) return;
    if (cancel_some(tx, job, now)) return put_back_news(tx, id);
    // What was changed here is no news.
    tx.execute("UPDATE iot_jobs SET has_news = 0 WHERE id = $1", {id});
  });
  outbox_.wake();
  return true;
}

void IotJobs::expire() {
  constexpr std::int64_t kShortest = 60'000;  // timeouts are whole minutes
  while (true) {
    const base::Timestamp now = clock_.now();
    // CROSS JOIN: from the few that are in progress to their jobs, and not the other way.
    const auto late = [&](store::Transaction& tx) {
      return tx.query(
          "SELECT " + std::string(kExecutionColumns) +
              ", i.timeout_ms FROM job_executions j CROSS JOIN iot_jobs i "
              "ON i.id = j.job_id WHERE j.status = 'IN_PROGRESS' "
              "AND j.started_ms < $1 AND j.started_ms + i.timeout_ms < $2 "
              "ORDER BY j.started_ms LIMIT $3",
          {to_stored(now) - kShortest, to_stored(now), static_cast<std::int64_t>(kStep)});
    };
    std::size_t count = 0;
    database_.read([&](store::Transaction& tx) { count = late(tx).size(); });
    if (count == 0) return;
    database_.write([&](store::Transaction& tx) {
      for (const store::Row& row : late(tx)) {
        JobExecution execution = read_execution(row);
        execution.status = JobStatus::timed_out;
        change_execution(tx, execution, now);
        Outbox::append(tx, kPlainJobsChanged, execution.thing, now);
      }
    });
    outbox_.wake();
    if (count < kStep) return;
  }
}

std::int64_t IotJobs::remove_history(base::Timestamp oldest, std::int64_t limit) {
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT id FROM iot_jobs WHERE completed_ms < $1 ORDER BY completed_ms LIMIT 1",
        {to_stored(oldest)});
    if (!row) return;
    const std::string id = row->text(0);
    removed = tx.execute(
        "DELETE FROM job_executions WHERE (job_id, thing) IN "
        "(SELECT job_id, thing FROM job_executions WHERE job_id = $1 LIMIT $2)",
        {id, limit});
    if (removed >= limit) return;
    tx.execute("DELETE FROM iot_jobs WHERE id = $1", {id});
    tx.execute("DELETE FROM tags WHERE arn = $1", {job_arn(id)});
    ++removed;
  });
  return removed;
}

}  // namespace andon::control
