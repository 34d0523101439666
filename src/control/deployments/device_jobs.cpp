// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/device_jobs.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/deployments/deployment_end.hpp"
#include "control/deployments/deployment_shadow.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/requests/deployment_check.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/topic.hpp"
#include "recipe/recipe/canonical_recipe.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kConsumer = "devices";  // of the outbox
constexpr std::size_t kTellStep = 200;
constexpr std::size_t kExpiryStep = 200;
constexpr std::size_t kMaxListedJobs = 100;  // of one device; each is of another thing group

std::optional<JobExecution> next_execution(store::Transaction& tx, const std::string& thing) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kExecutionColumns) +
          " FROM job_executions j JOIN deployments d ON d.id = j.job_id "
          "WHERE j.thing = $1 AND j.status IN ('IN_PROGRESS', 'QUEUED') AND d.state = 'CURRENT' "
          "ORDER BY j.status, j.queued_ms, d.created_ms, d.id LIMIT 1",  // IN_PROGRESS < QUEUED
      {thing});
  if (!row) return std::nullopt;
  return read_execution(*row);
}

// Jobs of AWS IoT: what is in progress, then what was queued first.
std::vector<JobExecution> pending_jobs(store::Transaction& tx, const std::string& thing,
                                       std::size_t most) {
  std::vector<JobExecution> pending;
  for (const store::Row& row :
       tx.query("SELECT " + std::string(kExecutionColumns) +
                    " FROM job_executions j JOIN iot_jobs i ON i.id = j.job_id "
                    "WHERE j.thing = $1 AND j.status IN ('IN_PROGRESS', 'QUEUED') "
                    // What was not begun of a job that is canceled is canceled, too.
                    "AND (j.status = 'IN_PROGRESS' OR i.state = 'IN_PROGRESS') "
                    "ORDER BY j.status, j.queued_ms, i.created_ms, i.id LIMIT $2",
                {thing, static_cast<std::int64_t>(most)})) {
    pending.push_back(read_execution(row));
  }
  return pending;
}

std::optional<JobExecution> next_execution(store::Transaction& tx, const std::string& thing,
                                           JobQueue queue) {
  if (queue == JobQueue::deployments) return next_execution(tx, thing);
  std::vector<JobExecution> pending = pending_jobs(tx, thing, 1);
  if (pending.empty()) return std::nullopt;
  return std::move(pending.front());
}

std::optional<json::object> read_document(store::Transaction& tx, const std::string& job_id) {
  auto row = tx.query_one("SELECT document FROM deployments WHERE id = $1", {job_id});
  if (!row) row = tx.query_one("SELECT document FROM iot_jobs WHERE id = $1", {job_id});
  if (!row) return std::nullopt;
  return stored_object(row->text(0));
}

// Messages to devices as they are to be published, read in one transaction. A document that many
// devices get is read and parsed once.
class Messages {
 public:
  explicit Messages(base::Timestamp now) : now_(now) {}

  // Is there a deployment for the thing itself among what it has to do?
  enum class Own { none, waits };
  Own add_jobs(store::Transaction& tx, const std::string& thing);
  void add_plain_jobs(store::Transaction& tx, const std::string& thing);
  void add_shadow(store::Transaction& tx, const std::string& thing);
  void publish(Notifier& notifier) const {
    for (const auto& [topic, payload] : messages_) notifier.publish(topic, payload);
  }

 private:
  const std::optional<json::object>& document(store::Transaction& tx, const std::string& job_id) {
    const auto found = documents_.find(job_id);
    if (found != documents_.end()) return found->second;
    return documents_.emplace(job_id, read_document(tx, job_id)).first->second;
  }

  void add(store::Transaction& tx, const std::vector<JobExecution>& pending,
           const std::string& notify_next, const std::string& notify);

  base::Timestamp now_;
  std::map<std::string, std::optional<json::object>> documents_;
  std::vector<std::pair<std::string, std::string>> messages_;
};

Messages::Own Messages::add_jobs(store::Transaction& tx, const std::string& thing) {
  Own own = Own::none;
  std::vector<JobExecution> pending;
  // What is in progress comes first, then what was queued first: as next_execution() has it.
  for (const store::Row& row :
       tx.query("SELECT " + std::string(kExecutionColumns) +
                    ", d.target FROM job_executions j JOIN deployments d ON d.id = j.job_id "
                    "WHERE j.thing = $1 AND j.status IN ('IN_PROGRESS', 'QUEUED') "
                    "AND d.state = 'CURRENT' "
                    "ORDER BY j.status, j.queued_ms, d.created_ms, d.id LIMIT $2",
                {thing, static_cast<std::int64_t>(kMaxListedJobs)})) {
    if (row.text(9) == Target{Target::Kind::thing, thing}.key()) own = Own::waits;
    pending.push_back(read_execution(row));
  }
  const fleet::DeviceTopics topics(thing);
  add(tx, pending, topics.notify_next_job(), topics.notify_jobs());
  return own;
}

void Messages::add_plain_jobs(store::Transaction& tx, const std::string& thing) {
  const fleet::DeviceTopics topics(thing);
  add(tx, pending_jobs(tx, thing, kMaxListedJobs), topics.notify_next_plain_job(),
      topics.notify_plain_jobs());
}

void Messages::add(store::Transaction& tx, const std::vector<JobExecution>& pending,
                   const std::string& notify_next, const std::string& notify) {
  json::array queued;
  json::array in_progress;
  for (const JobExecution& execution : pending) {
    (execution.status == JobStatus::queued ? queued : in_progress)
        .emplace_back(fleet::summarize(execution));
  }
  const std::int64_t now = fleet::to_job_seconds(now_);
  json::object next{{"timestamp", now}};
  if (!pending.empty()) {
    next["execution"] = fleet::to_json(pending.front(), document(tx, pending.front().job_id));
  }
  json::object jobs;
  if (!in_progress.empty()) jobs[to_string(JobStatus::in_progress)] = std::move(in_progress);
  if (!queued.empty()) jobs[to_string(JobStatus::queued)] = std::move(queued);
  const json::object list{{"timestamp", now}, {"jobs", std::move(jobs)}};
  messages_.emplace_back(notify_next, base::to_text(next));
  messages_.emplace_back(notify, base::to_text(list));
}

void Messages::add_shadow(store::Transaction& tx, const std::string& thing) {
  const std::optional<json::object> shadow = read_shadow(tx, thing, now_);
  if (!shadow) return;
  messages_.emplace_back(
      fleet::answer_topic(fleet::DeviceTopics(thing).update_shadow(), fleet::Answer::accepted),
      base::to_text(*shadow));
}

// What waits for a nucleus lite that will never hear of it: it joined a group whose deployment is
// larger than its packets, or has its nucleus since. Answers whether there was any.
bool fail_what_lite_never_sees(store::Database& database, const base::Clock& clock) {
  const auto unseen = [](store::Transaction& tx) {
    // CROSS JOIN: from the devices with a nucleus lite to what waits for them.
    return tx.query(
        "SELECT " + std::string(kExecutionColumns) +
            ", length(CAST(d.document AS BLOB)) FROM core_devices c "
            "CROSS JOIN job_executions j ON j.thing = c.thing AND j.status = 'QUEUED' "
            "CROSS JOIN deployments d ON d.id = j.job_id WHERE c.runtime = $1 "
            "AND d.state = 'CURRENT' AND length(CAST(d.document AS BLOB)) + length(j.job_id) + "
            "2 * length(j.thing) > $2 LIMIT $3",
        {std::string(recipe::kLiteRuntime),
         static_cast<std::int64_t>(kLitePacketBytes - kNotificationOverhead),
         static_cast<std::int64_t>(kExpiryStep)});
  };
  bool has_failed = false;
  std::size_t count = kExpiryStep;
  while (count == kExpiryStep) {
    database.read([&](store::Transaction& tx) { count = unseen(tx).size(); });
    if (count == 0) break;
    database.write([&](store::Transaction& tx) {
      const base::Timestamp now = clock.now();
      for (const store::Row& row : unseen(tx)) {
        JobExecution execution = read_execution(row);
        execution.status = JobStatus::failed;
        execution.status_details = fleet::to_job_details(
            {.failure_cause =
                 "its nucleus lite takes packets of 5000 bytes and would never see this "
                 "deployment, whose document has " +
                 std::to_string(row.integer(9)) +
                 "; deploy fewer components or less configuration"});
        change_execution(tx, execution, now);
        Outbox::append(tx, kJobsChanged, execution.thing, now);
        abort_where_due(tx, execution.job_id, now);
      }
    });
    has_failed = true;
  }
  return has_failed;
}

JobUpdateResult reject(JobRejection rejection, std::string message,
                       std::optional<JobExecution> execution = std::nullopt) {
  return {rejection, std::move(message), std::move(execution)};
}

}  // namespace

DeviceJobs::DeviceJobs(store::Database& database, Notifier& notifier, Outbox& outbox,
                       const base::Clock& clock, Arns arns)
    : database_(database),
      notifier_(notifier),
      outbox_(outbox),
      clock_(clock),
      arns_(std::move(arns)) {}

std::optional<JobExecution> DeviceJobs::next(const std::string& thing, JobQueue queue) const {
  return database_.read([&](store::Transaction& tx) { return next_execution(tx, thing, queue); });
}

std::vector<JobExecution> DeviceJobs::pending(const std::string& thing) const {
  return database_.read(
      [&](store::Transaction& tx) { return pending_jobs(tx, thing, kMaxListedJobs); });
}

std::optional<JobExecution> DeviceJobs::start_next(
    const std::string& thing, const std::map<std::string, std::string>& details) {
  return database_.write([&](store::Transaction& tx) {
    std::optional<JobExecution> next = next_execution(tx, thing, JobQueue::jobs);
    if (next && next->status == JobStatus::queued) {
      next->status = JobStatus::in_progress;
      if (!details.empty()) next->status_details = details;
      change_execution(tx, *next, clock_.now());
    }
    return next;
  });
}

std::optional<JobExecution> DeviceJobs::find(const std::string& thing,
                                             const std::string& job_id) const {
  return database_.read([&](store::Transaction& tx) { return find_execution(tx, job_id, thing); });
}

std::optional<json::object> DeviceJobs::document(const std::string& job_id) const {
  return database_.read([&](store::Transaction& tx) { return read_document(tx, job_id); });
}

JobUpdateResult DeviceJobs::update(const std::string& thing, const std::string& job_id,
                                   const JobUpdate& update) {
  JobUpdateResult result;
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
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
    change_execution(tx, *execution, now);
    if (is_terminal(execution->status)) {
      const auto row =
          tx.query_one("SELECT target, revision FROM deployments WHERE id = $1", {job_id});
      if (row && row->text(0) == "thing/" + thing) {
        const std::string arn = arns_.configuration(row->text(0), row->integer(1));
        set_reported_status(
            tx, thing,
            {arn, {execution->status, fleet::read_job_details(execution->status_details)}}, now);
      }
      Outbox::append(tx, row ? kJobsChanged : kPlainJobsChanged, thing, now);
      if (row) abort_where_due(tx, job_id, now);
    }
    result.execution = std::move(execution);
  });
  if (!result.rejection && is_terminal(result.execution->status)) outbox_.wake();
  return result;
}

std::vector<EffectiveDeployment> DeviceJobs::of_deployment(const std::string& id,
                                                           std::size_t most) const {
  std::vector<EffectiveDeployment> found;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query("SELECT " + std::string(kExecutionColumns) +
                                              " FROM job_executions j WHERE j.job_id = $1 ORDER BY "
                                              "j.thing LIMIT $2",
                                          {id, static_cast<std::int64_t>(most)})) {
      EffectiveDeployment one;
      one.execution = read_execution(row);
      one.deployment_id = id;
      one.reason = reason_of(one.execution);
      const auto details = fleet::read_job_details(one.execution.status_details);
      one.error_stack = details.error_stack;
      one.error_types = details.error_types;
      found.push_back(std::move(one));
    }
  });
  return found;
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
      effective.reason = reason_of(effective.execution);
      const auto details = fleet::read_job_details(effective.execution.status_details);
      effective.error_stack = details.error_stack;
      effective.error_types = details.error_types;
      result.items.push_back(std::move(effective));
    }
  });
  return result;
}

bool DeviceJobs::tell() {
  if (!notifier_.has_room()) return false;
  // What is new is told first: it is what somebody waits for.
  return tell_news() || repeat_some();
}

bool DeviceJobs::tell_news() {
  OutboxBatch batch;
  Messages messages(clock_.now());
  database_.read([&](store::Transaction& tx) {
    batch = Outbox::read(tx, kConsumer, kTellStep);
    std::set<std::string> jobs;
    std::set<std::string> plain_jobs;
    std::set<std::string> shadows;
    for (const OutboxEntry& entry : batch.entries) {
      if (entry.kind == kJobsChanged) jobs.insert(entry.subject);
      if (entry.kind == kPlainJobsChanged) plain_jobs.insert(entry.subject);
      if (entry.kind == kShadowChanged) shadows.insert(entry.subject);
    }
    for (const std::string& thing : jobs) messages.add_jobs(tx, thing);
    for (const std::string& thing : plain_jobs) messages.add_plain_jobs(tx, thing);
    for (const std::string& thing : shadows) messages.add_shadow(tx, thing);
  });
  if (batch.entries.empty()) return false;
  messages.publish(notifier_);
  database_.write(
      [&](store::Transaction& tx) { Outbox::advance(tx, kConsumer, batch.entries.back().id); });
  if (batch.has_gap) repeat_pending();
  return true;
}

bool DeviceJobs::repeat_some() {
  std::string after;
  {
    const std::lock_guard lock(mutex_);
    if (!repeated_) return false;
    after = *repeated_;
  }
  Messages messages(clock_.now());
  std::string last;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT DISTINCT thing FROM job_executions "
                  "WHERE status IN ('IN_PROGRESS', 'QUEUED') AND thing > $1 "
                  "ORDER BY thing LIMIT $2",
                  {after, static_cast<std::int64_t>(kTellStep)})) {
      last = row.text(0);
      if (messages.add_jobs(tx, last) == Messages::Own::waits) messages.add_shadow(tx, last);
      if (next_execution(tx, last, JobQueue::jobs)) messages.add_plain_jobs(tx, last);
    }
  });
  messages.publish(notifier_);
  const std::lock_guard lock(mutex_);
  if (repeated_ != after) return true;  // from the start again
  repeated_ = last.empty() ? std::nullopt : std::optional<std::string>(last);
  return repeated_.has_value();
}

void DeviceJobs::repeat_pending() {
  {
    const std::lock_guard lock(mutex_);
    repeated_ = "";
  }
  outbox_.wake();
}

void DeviceJobs::expire() {
  if (fail_what_lite_never_sees(database_, clock_)) outbox_.wake();
  constexpr std::int64_t kShortest = 60'000;  // timeouts are whole minutes
  // CROSS JOIN: from the few that are in progress to their deployments, and not the other way.
  const auto late = [&](store::Transaction& tx, base::Timestamp now) {
    return tx.query(
        "SELECT " + std::string(kExecutionColumns) +
            ", d.timeout_ms FROM job_executions j "
            "CROSS JOIN deployments d ON d.id = j.job_id WHERE j.status = 'IN_PROGRESS' "
            "AND j.started_ms < $1 AND j.started_ms + d.timeout_ms < $2 "
            "AND d.state = 'CURRENT' ORDER BY j.started_ms LIMIT $3",
        {to_stored(now) - kShortest, to_stored(now), static_cast<std::int64_t>(kExpiryStep)});
  };
  while (true) {
    const base::Timestamp now = clock_.now();
    std::size_t count = 0;
    database_.read([&](store::Transaction& tx) { count = late(tx, now).size(); });
    if (count == 0) return;
    database_.write([&](store::Transaction& tx) {
      for (const store::Row& row : late(tx, now)) {
        JobExecution execution = read_execution(row);
        execution.status = JobStatus::timed_out;
        execution.status_details =
            fleet::to_job_details({.failure_cause = "the device worked on it for more than " +
                                                    std::to_string(row.integer(9) / 60'000) +
                                                    " min (inProgressTimeoutInMinutes)"});
        change_execution(tx, execution, now);
        Outbox::append(tx, kJobsChanged, execution.thing, now);
        abort_where_due(tx, execution.job_id, now);
      }
    });
    outbox_.wake();
    if (count < kExpiryStep) return;
  }
}

}  // namespace andon::control
