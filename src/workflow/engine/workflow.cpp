// SPDX-License-Identifier: Apache-2.0
#include "workflow/engine/workflow.hpp"

#include <atomic>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "workflow/shared/refusal.hpp"
#include "workflow/shared/schema.hpp"

namespace andon::workflow {
namespace {

constexpr std::size_t kMostTags = 50;
constexpr std::size_t kDataDepth = 1000;

store::Database& migrated(store::Database& database) {
  migrate_schema(database);
  return database;
}

Refusal invalid_input(const std::string& why) {
  return {"InvalidExecutionInput", "Invalid State Machine Execution Input: '" + why + "'"};
}

asl::Data parse_input(const std::string& text) {
  if (text.empty()) throw invalid_input("Invalid execution input.");
  try {
    return asl::make_data(base::parse_json(
        text, "the input", {.max_bytes = asl::kMaxDataBytes, .max_depth = kDataDepth}));
  } catch (const base::Error& error) {
    throw invalid_input(error.message());
  }
}

Refusal invalid_token() {
  return {"InvalidToken", "Invalid Token: 'Invalid token'"};
}

Refusal type_not_supported() {
  return {"StateMachineTypeNotSupported",
          "This operation is not supported by this type of state machine"};
}

}  // namespace

Workflow::Workflow(store::Database& database, const Integrations& integrations, MapStore* map_store,
                   const base::Clock& clock, WorkflowOptions options)
    : database_(migrated(database)),
      clock_(clock),
      options_(std::move(options)),
      commits_(std::make_unique<store::GroupCommit>(database)),
      machines_(database, clock, options_.arns,
                [&integrations](const asl::StateMachine& machine) { integrations.check(machine); }),
      executions_(database),
      log_(machines_, options_.write_log),
      driver_({.database = database,
               .commits = *commits_,
               .machines = machines_,
               .executions = executions_,
               .integrations = integrations,
               .map_store = map_store,
               .clock = clock,
               .arns = options_.arns},
              {.threads = options_.threads}),
      activities_(database, driver_, clock, options_.arns),
      trials_(driver_, integrations, options_.arns, clock) {
  driver_.set_observer([this](MachineType type, const Execution& execution,
                              const std::vector<asl::HistoryEvent>& events) {
    figures_.note(type, execution, events);
    log_.note(execution, events);
  });
}

Workflow::~Workflow() = default;

void Workflow::run() {
  driver_.run();
  // Machines whose deletion a crash has interrupted.
  std::vector<std::string> deleting;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT arn FROM machines WHERE status = 'DELETING'")) {
      deleting.push_back(row.text(0));
    }
  });
  for (const std::string& arn : deleting) delete_machine(arn);
}

void Workflow::stop() {
  activities_.send_home();
  trials_.stop();
  driver_.stop();
}

void Workflow::sweep() {
  constexpr std::size_t kAtATime = 200;
  const base::Timestamp before = clock_.now() - options_.retention;
  while (executions_.forget(before, kAtATime) == kAtATime) {
  }
}

NewExecution Workflow::prepare(const StartExecution& request) const {
  NewExecution execution;
  execution.target = machines_.target(request.machine_arn);
  execution.name = request.name.empty() ? base::random_uuid() : request.name;
  check_name(execution.name);
  execution.input_text = request.input.value_or("{}");
  execution.input = parse_input(execution.input_text);
  execution.trace_header = request.trace_header;
  const Machine& machine = execution.target.machine;
  execution.machine = machine.arn;
  execution.arn = machine.type == MachineType::express
                      ? options_.arns.express(machine.name, execution.name, base::random_uuid())
                      : options_.arns.execution(machine.name, execution.name);
  return execution;
}

void Workflow::start(const StartExecution& request, const Told<Started>& told) {
  NewExecution execution = prepare(request);
  if (execution.target.machine.type == MachineType::express) {
    told(driver_.start_express(std::move(execution), nullptr), nullptr);
    return;
  }
  driver_.start(std::move(execution), told);
}

void Workflow::start_nested(const StartExecution& request, const Parent& parent,
                            const Told<Started>& told) {
  NewExecution execution = prepare(request);
  if (execution.target.machine.type == MachineType::express) {
    told(driver_.start_express(std::move(execution), nullptr), nullptr);
    return;
  }
  execution.parent = parent;
  driver_.start(std::move(execution), told);
}

void Workflow::start_sync(const StartExecution& request, const Told<Execution>& told) {
  NewExecution execution = prepare(request);
  if (execution.target.machine.type != MachineType::express) throw type_not_supported();
  (void)driver_.start_express(std::move(execution),
                              [told](const Execution& ended) { told(ended, nullptr); });
}

void Workflow::stop(const std::string& arn, const std::optional<std::string>& error,
                    const std::optional<std::string>& cause, const Told<base::Timestamp>& told) {
  check_standard_execution_arn(arn);
  const Execution execution = executions_.require(arn);
  if (execution.stopped) {
    told(*execution.stopped, nullptr);
    return;
  }
  const std::int64_t id = execution.id;
  driver_.post(id, asl::Stop{error, cause}, [this, id, told](const std::exception_ptr& failure) {
    if (failure) {
      told({}, failure);
      return;
    }
    driver_.pool().post([this, id, told] {
      const auto stopped = executions_.find(id);
      told(stopped && stopped->stopped ? *stopped->stopped : clock_.now(), nullptr);
    });
  });
}

void Workflow::delete_machine(const std::string& arn) {
  if (!machines_.begin_deletion(arn)) return;
  std::vector<std::string> running;
  commits_->write([&](store::Transaction& tx) {
    running.clear();
    for (const auto& row :
         tx.query("SELECT arn FROM executions WHERE machine = $1 AND status = 'RUNNING'", {arn})) {
      running.push_back(row.text(0));
    }
    for (const std::string& execution : running) {
      tx.execute("INSERT INTO stops (arn) VALUES ($1) ON CONFLICT (arn) DO NOTHING", {execution});
    }
  });
  if (running.empty()) {
    machines_.end_deletion(arn);
    return;
  }
  const auto left = std::make_shared<std::atomic<std::size_t>>(running.size());
  for (const std::string& execution : running) {
    driver_.when_ended(execution, [this, arn, left](const Execution& /*ended*/) {
      if (--*left > 0) return;
      driver_.pool().post([this, arn] { machines_.end_deletion(arn); });
    });
  }
  driver_.carry_out_stops(running);
}

StoredTask Workflow::task_of(const std::string& token) const {
  auto found = executions_.task_of_token(token);
  if (found) return *std::move(found);
  if (executions_.token_has_ended(token)) {
    throw Refusal("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'");
  }
  throw invalid_token();
}

void Workflow::send_task_success(const std::string& token, const std::string& output, Done done) {
  const StoredTask task = task_of(token);
  asl::Data parsed;
  try {
    parsed = asl::make_data(base::parse_json(
        output, "the output", {.max_bytes = asl::kMaxDataBytes, .max_depth = kDataDepth}));
  } catch (const base::Error& error) {
    throw Refusal("InvalidOutput", "Invalid Output: '" + error.message() + "'");
  }
  driver_.post(task.execution, asl::TaskSucceeded{task.row.key.number, parsed}, std::move(done));
}

void Workflow::send_task_failure(const std::string& token, const std::optional<std::string>& error,
                                 const std::optional<std::string>& cause, Done done) {
  const StoredTask task = task_of(token);
  driver_.post(task.execution,
               asl::TaskFailed{task.row.key.number, error.value_or(""), cause.value_or("")},
               std::move(done));
}

void Workflow::send_task_heartbeat(const std::string& token, Done done) {
  const StoredTask task = task_of(token);
  driver_.post(task.execution, asl::TaskHeartbeat{task.row.key.number}, std::move(done));
}

void Workflow::require_resource(store::Transaction& tx, const std::string& arn) const {
  const auto found = tx.query_one(
      "SELECT 1 FROM machines WHERE arn = $1 UNION ALL SELECT 1 FROM activities WHERE arn = $1",
      {arn});
  if (!found) throw Refusal("ResourceNotFound", "Resource not found: '" + arn + "'");
}

Tags Workflow::tags(const std::string& arn) const {
  Tags found;
  database_.read([&](store::Transaction& tx) {
    require_resource(tx, arn);
    for (const auto& row :
         tx.query("SELECT tag_key, tag_value FROM workflow_tags WHERE arn = $1 ORDER BY tag_key",
                  {arn})) {
      found[row.text(0)] = row.text(1);
    }
  });
  return found;
}

void Workflow::tag(const std::string& arn, const Tags& tags) {
  database_.write([&](store::Transaction& tx) {
    require_resource(tx, arn);
    for (const auto& [key, value] : tags) {
      tx.execute(
          "INSERT INTO workflow_tags (arn, tag_key, tag_value) VALUES ($1, $2, $3) "
          "ON CONFLICT (arn, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
          {arn, key, value});
    }
    const auto count = tx.query_one("SELECT count(*) FROM workflow_tags WHERE arn = $1", {arn});
    if (count->integer(0) > static_cast<std::int64_t>(kMostTags)) {
      throw Refusal("TooManyTags", "A resource may have at most 50 tags: '" + arn + "'");
    }
  });
}

void Workflow::untag(const std::string& arn, const std::vector<std::string>& keys) {
  database_.write([&](store::Transaction& tx) {
    require_resource(tx, arn);
    for (const std::string& key : keys) {
      tx.execute("DELETE FROM workflow_tags WHERE arn = $1 AND tag_key = $2", {arn, key});
    }
  });
}

}  // namespace andon::workflow
