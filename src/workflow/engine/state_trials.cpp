// SPDX-License-Identifier: Apache-2.0
#include "workflow/engine/state_trials.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

#include "asl/data/item_reader.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

constexpr std::chrono::minutes kLongest{5};
constexpr std::size_t kMostAtOnce = 100;
constexpr std::size_t kDataDepth = 1000;

Refusal invalid(const std::string& message) {
  return {"ValidationException", message};
}

json::value parse(const std::string& text, const char* what) {
  return base::parse_json(text, what, {.max_bytes = asl::kMaxDataBytes, .max_depth = kDataDepth});
}

json::value parse_or(const std::string& text, const char* what, const Refusal& refusal) {
  try {
    return parse(text, what);
  } catch (const base::Error&) {
    throw Refusal(refusal);
  }
}

bool has_mock_kind(asl::StateType type) {
  return type == asl::StateType::task || type == asl::StateType::map ||
         type == asl::StateType::parallel;
}

// A state that needs no answer from elsewhere but that of a call that is made once.
void check_without_mock(const asl::State& state, const TestState& request) {
  const asl::StateType type = state.type();
  if (type == asl::StateType::map || type == asl::StateType::parallel) {
    throw Refusal("InvalidDefinition",
                  "TestState API does not support Map or Parallel states. Supported state types "
                  "include: [Task, Wait, Pass, Succeed, Fail, Choice]");
  }
  if (request.context) {
    throw invalid("TestState does not support Context when a mock is not specified.");
  }
  if (request.failed_iterations) {
    throw invalid(
        "TestState does not support MapIterationFailureCount when a mock is not specified.");
  }
  if (type != asl::StateType::task) return;
  const asl::Resource& resource = state.task().resource;
  if (resource.kind == asl::Resource::Kind::activity ||
      resource.pattern != asl::Resource::Pattern::request_response) {
    throw Refusal("InvalidDefinition",
                  "TestState API supports Activity, .sync and .waitForTaskToken tasks only when a "
                  "mock is specified");
  }
  if (request.role.empty()) throw invalid("RoleArn must be specified when testing a Task state");
}

void check_mocked_result(const asl::State& state, const json::value& result) {
  if (const auto* map = state.if_is<asl::MapState>()) {
    if (map->writer && !map->writer->resource.empty()) {
      if (!result.is_object()) throw invalid("Mocked result must be a JSON object.");
    } else if (!result.is_array()) {
      throw invalid("Mocked result must be an array.");
    }
  }
  if (const auto* parallel = state.if_is<asl::ParallelState>()) {
    if (!result.is_array()) throw invalid("Mocked result must be an array.");
    if (result.get_array().size() != parallel->branches.size()) {
      throw invalid(
          "Mocked result must contain the same number of items as number of Parallel branches.");
    }
  }
}

// What a context object that is given may have, and as what.
struct ContextMember {
  std::string_view section;
  std::string_view name;
  enum class Type { text, number, any } type = Type::text;
};
constexpr ContextMember kContext[] = {
    {"Execution", "Id"},
    {"Execution", "Input", ContextMember::Type::any},
    {"Execution", "Name"},
    {"Execution", "RoleArn"},
    {"Execution", "StartTime"},
    {"Execution", "RedriveCount", ContextMember::Type::number},
    {"Execution", "RedriveTime"},
    {"State", "EnteredTime"},
    {"State", "Name"},
    {"State", "RetryCount", ContextMember::Type::number},
    {"StateMachine", "Id"},
    {"StateMachine", "Name"},
    {"Task", "Token"},
};

json::object checked_context(const std::string& text, const asl::State& state) {
  const auto wrong = [](const std::string& what) {
    return invalid("Invalid Context object provided: " + what);
  };
  const json::value value = parse_or(text, "the context", wrong("not valid JSON"));
  if (!value.is_object()) throw wrong("must be a JSON object");
  const bool has_token = state.type() == asl::StateType::task &&
                         state.task().resource.pattern != asl::Resource::Pattern::request_response;
  for (const auto& section : value.get_object()) {
    const std::string name(section.key());
    const bool is_known = std::ranges::any_of(
        kContext, [&name](const ContextMember& member) { return member.section == name; });
    if (!is_known || (name == "Task" && !has_token)) {
      throw wrong("Field '" + name + "' is not allowed");
    }
    if (!section.value().is_object()) throw wrong(name + " must be an object");
    for (const auto& member : section.value().get_object()) {
      const auto* known = std::ranges::find_if(kContext, [&](const ContextMember& one) {
        return one.section == name && one.name == member.key();
      });
      const std::string place = name + "." + std::string(member.key());
      if (known == std::ranges::end(kContext)) {
        throw wrong("Field '" + std::string(member.key()) + "' is not allowed");
      }
      if (known->type == ContextMember::Type::text && !member.value().is_string()) {
        throw wrong(place + " must be a string");
      }
      if (known->type == ContextMember::Type::number && !member.value().is_int64()) {
        throw wrong(place + " must be an integer");
      }
    }
  }
  return value.get_object();
}

asl::Data read_items(const asl::State& state, const std::string& text) {
  const auto* map = state.if_is<asl::MapState>();
  if (map == nullptr || !map->reader) {
    throw invalid("MapItemReaderData may only be specified for a Map state with an ItemReader");
  }
  try {
    return asl::parse_items(map->reader->config, text);
  } catch (const base::Error& error) {
    throw invalid("MapItemReaderData cannot be read: " + error.message());
  }
}

}  // namespace

// Lets answers in that may come at any time, as long as there is somebody to take them.
struct StateTrials::Gate {
  std::shared_mutex mutex;
  StateTrials* trials = nullptr;
  std::mutex runs_mutex;  // guards what follows
  std::set<RunPtr> runs;
};

struct StateTrials::Run {
  Told told;
  std::string role;
  bool has_mock = false;
  std::optional<json::value> mocked;  // of a task
  std::optional<asl::Failure> mocked_failure;
  base::Timestamp deadline;
  std::mutex mutex;  // guards what follows
  std::optional<asl::StateTrial> trial;
  std::optional<TaskRequest> request;
  Integration* integration = nullptr;
  bool is_over = false;
};

StateTrials::StateTrials(Driver& driver, const Integrations& integrations, const Arns& arns,
                         const base::Clock& clock)
    : gate_(std::make_shared<Gate>()),
      driver_(driver),
      integrations_(integrations),
      arns_(arns),
      clock_(clock) {
  gate_->trials = this;
}

StateTrials::~StateTrials() {
  stop();
}

void StateTrials::stop() {
  std::set<RunPtr> left;
  {
    const std::unique_lock lock(gate_->mutex);
    gate_->trials = nullptr;
    const std::lock_guard runs_lock(gate_->runs_mutex);
    left = std::exchange(gate_->runs, {});
  }
  for (const RunPtr& run : left) {
    end(run, {},
        std::make_exception_ptr(base::Error(base::ErrorCode::unavailable, "the server is ending")));
  }
}

StateTrials::RunPtr StateTrials::make(const TestState& request) const {
  if (request.mock) {
    if (request.reveals_secrets) {
      throw invalid("TestState does not support RevealSecrets when a mock is specified.");
    }
    if (request.mock->result.has_value() == request.mock->error.has_value()) {
      throw invalid(
          "A test mock should have only one of the following fields: [result, errorOutput].");
    }
  }
  asl::StateTrialRequest wanted;
  wanted.definition = request.definition;
  wanted.state_name = request.state_name;
  const std::string id = base::random_uuid();
  wanted.start = {.arn = arns_.express("TestState", id, base::random_uuid()),
                  .name = id,
                  .role_arn = request.role,
                  .machine_arn = arns_.machine("TestState"),
                  .machine_name = "TestState",
                  .region = arns_.region(),
                  .time = clock_.now(),
                  .seed = new_seed()};
  try {
    wanted.start.input = asl::make_data(parse(request.input.value_or("{}"), "the input"));
  } catch (const base::Error& error) {
    throw Refusal("InvalidExecutionInput",
                  "Invalid State Machine Execution Input: '" + error.message() + "'");
  }
  if (request.variables) {
    const json::value variables =
        parse_or(*request.variables, "the variables", invalid("Variables must be valid JSON"));
    if (!variables.is_object()) throw invalid("Variables must be a JSON object");
    for (const auto& member : variables.get_object()) {
      wanted.variables.emplace_back(member.key(), asl::make_data(member.value()));
    }
  }
  wanted.inspection.retries = request.retries;
  wanted.inspection.failed_iterations = request.failed_iterations.value_or(0);
  const auto run = std::make_shared<Run>();
  run->deadline = wanted.start.time + kLongest;
  run->has_mock = request.mock.has_value();

  // The state says what may be given, so that it is read first, and then again with all of it.
  std::optional<asl::StateTrial> read;
  try {
    read.emplace(wanted);
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::not_found) throw invalid(error.message());
    throw Refusal("InvalidDefinition", error.message());
  }
  const asl::State& state = read->state();
  if (!request.mock) {
    check_without_mock(state, request);
  } else {
    if (!has_mock_kind(state.type())) {
      throw invalid("State type '" + std::string(asl::to_string(state.type())) +
                    "' is not supported when a mock is specified");
    }
    if (request.mock->result) {
      json::value result = parse_or(*request.mock->result, "the mocked result",
                                    invalid("Mocked result must be valid JSON"));
      check_mocked_result(state, result);
      if (state.type() == asl::StateType::task) {
        run->mocked = std::move(result);
      } else {
        wanted.inspection.result = asl::make_data(std::move(result));
      }
    } else {
      (state.type() == asl::StateType::task ? run->mocked_failure : wanted.inspection.failure) =
          request.mock->error;
    }
    if (request.context) {
      wanted.inspection.context = checked_context(*request.context, state);
    }
  }
  if (request.item_reader_data) {
    wanted.inspection.items = read_items(state, *request.item_reader_data);
  }
  run->role = request.role;
  run->trial.emplace(std::move(wanted));
  return run;
}

void StateTrials::start(const TestState& request, Told told) {
  const RunPtr run = make(request);
  {
    const std::shared_lock lock(gate_->mutex);
    if (gate_->trials == nullptr) {
      throw base::Error(base::ErrorCode::unavailable, "the server is ending");
    }
    const std::lock_guard runs_lock(gate_->runs_mutex);
    if (gate_->runs.size() >= kMostAtOnce) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "so many states are being tested already: " + std::to_string(kMostAtOnce));
    }
    gate_->runs.insert(run);
  }
  run->told = std::move(told);
  begin(run);
}

void StateTrials::begin(const RunPtr& run) {
  std::vector<asl::Decision> decisions;
  try {
    const std::lock_guard lock(run->mutex);
    decisions = run->trial->begin();
    const auto& inspection = run->trial->inspection();
    if (inspection.iterations && inspection.failed_iterations > *inspection.iterations) {
      throw invalid(
          "Map iteration failure count must be less than or equal to the number of Map iterations");
    }
  } catch (...) {
    end(run, {}, std::current_exception());
    return;
  }
  if (!run->has_mock) {
    at(run->deadline, [run](StateTrials& trials) { trials.over_time(run); });
  }
  carry_out(run, decisions);
}

void StateTrials::report(const RunPtr& run, asl::EventBody body) {
  std::vector<asl::Decision> decisions;
  try {
    const std::lock_guard lock(run->mutex);
    if (run->is_over || run->trial->has_ended()) return;
    decisions = run->trial->report({clock_.now(), new_seed(), std::move(body)});
  } catch (...) {
    end(run, {}, std::current_exception());
    return;
  }
  carry_out(run, decisions);
}

void StateTrials::carry_out(const RunPtr& run, const std::vector<asl::Decision>& decisions) {
  for (const asl::Decision& decision : decisions) {
    if (const auto* task = std::get_if<asl::ScheduleTask>(&decision)) {
      start_task(run, *task);
    } else if (const auto* timer = std::get_if<asl::StartTimer>(&decision)) {
      // What is due later is never reached, and nothing mocked takes time.
      if (run->has_mock || timer->due > run->deadline) continue;
      at(timer->due, [run, number = timer->timer](StateTrials& trials) {
        trials.report(run, asl::TimerFired{number});
      });
    } else if (std::holds_alternative<asl::CancelTask>(decision)) {
      cancel_call(run);
    }
  }
  std::optional<asl::StateTrialOutcome> outcome;
  {
    const std::lock_guard lock(run->mutex);
    if (run->trial->has_ended()) outcome = run->trial->outcome();
  }
  if (outcome) end(run, *outcome, nullptr);
}

void StateTrials::start_task(const RunPtr& run, const asl::ScheduleTask& task) {
  const std::int64_t number = task.task;
  if (run->mocked) {
    report(run, asl::TaskSucceeded{number, asl::make_data(*run->mocked)});
    return;
  }
  if (run->mocked_failure) {
    report(run,
           asl::TaskFailed{number, run->mocked_failure->error(), run->mocked_failure->cause()});
    return;
  }
  Integration* integration = integrations_.find(task.resource);
  if (integration == nullptr) {
    report(run, asl::TaskFailed{number, "States.Runtime",
                                "The resource '" + task.resource.text + "' is not recognized"});
    return;
  }
  TaskRequest request{.execution = 0,
                      .number = number,
                      .execution_arn = {},
                      .machine_arn = arns_.machine("TestState"),
                      .role_arn = run->role,
                      .task_role = task_role_of(task.credentials),
                      .region = arns_.region(),
                      .state = task.state,
                      .resource = task.resource,
                      .parameters = task.parameters,
                      .token = task.token,
                      .idempotency_token = base::random_uuid()};
  request.execution_arn = arns_.execution("TestState", request.idempotency_token);
  {
    const std::lock_guard lock(run->mutex);
    run->request = request;
    run->integration = integration;
  }
  const TaskReply reply([gate = gate_, run, number](TaskReply::Kind kind, const asl::Data& output,
                                                    const std::string& error,
                                                    const std::string& cause) {
    const std::shared_lock lock(gate->mutex);
    if (gate->trials == nullptr) return;
    switch (kind) {
      case TaskReply::Kind::submitted:
      case TaskReply::Kind::alive:
        return;
      case TaskReply::Kind::succeeded:
        return gate->trials->report(run, asl::TaskSucceeded{number, output});
      case TaskReply::Kind::failed:
        return gate->trials->report(run, asl::TaskFailed{number, error, cause});
    }
  });
  driver_.effects().post([integration, request, reply] {
    try {
      integration->start(request, reply);
    } catch (const TaskFailure& failure) {
      reply.failed(failure.error(), failure.cause());
    } catch (const std::exception& error) {
      reply.failed("States.TaskFailed", error.what());
    }
  });
}

// It may answer at once, so that nothing is locked here.
void StateTrials::cancel_call(const RunPtr& run) {
  Integration* integration = nullptr;
  std::optional<TaskRequest> request;
  {
    const std::lock_guard lock(run->mutex);
    integration = std::exchange(run->integration, nullptr);
    request = run->request;
  }
  if (integration != nullptr) integration->cancel(*request);
}

void StateTrials::at(base::Timestamp due, std::function<void(StateTrials&)> work) {
  driver_.timers().at(due, [gate = gate_, work = std::move(work)] {
    const std::shared_lock lock(gate->mutex);
    if (gate->trials == nullptr) return;
    gate->trials->driver_.pool().post([gate, work] {
      const std::shared_lock again(gate->mutex);
      if (gate->trials != nullptr) work(*gate->trials);
    });
  });
}

void StateTrials::over_time(const RunPtr& run) {
  cancel_call(run);
  asl::StateTrialOutcome outcome;
  outcome.status = asl::StateTrialOutcome::Status::failed;
  outcome.error = "States.Timeout";
  end(run, outcome, nullptr);
}

void StateTrials::end(const RunPtr& run, const asl::StateTrialOutcome& outcome,
                      const std::exception_ptr& failure) {
  {
    const std::lock_guard lock(run->mutex);
    if (std::exchange(run->is_over, true)) return;
  }
  {
    const std::lock_guard lock(gate_->runs_mutex);
    gate_->runs.erase(run);
  }
  run->told(outcome, failure);
}

}  // namespace andon::workflow
