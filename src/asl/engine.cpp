// SPDX-License-Identifier: Apache-2.0
#include "asl/engine.hpp"

#include "base/error.hpp"

namespace andon::asl {
namespace {

std::string state_event(const State& state, std::string_view suffix) {
  return std::string(to_string(state.type)) + "State" + std::string(suffix);
}

}  // namespace

Branch* Engine::find(std::int64_t id) {
  const auto found = execution_.branches.find(id);
  return found == execution_.branches.end() ? nullptr : &found->second;
}

Branch* Engine::find_task(std::int64_t task) {
  for (auto& [id, branch] : execution_.branches) {
    if (task != 0 && branch.task == task) return &branch;
  }
  return nullptr;
}

const State& Engine::state_of(const Branch& branch) const {
  return machine_.flow(branch.flow).state(branch.state);
}

Branch& Engine::add_branch(std::int64_t parent, std::int64_t index, std::size_t flow, Data input) {
  const std::int64_t id = execution_.next_branch++;
  Branch& branch = execution_.branches[id];
  branch.id = id;
  branch.parent = parent;
  branch.index = index;
  branch.flow = flow;
  branch.state = machine_.flow(flow).start_at;
  branch.input = std::move(input);
  make_ready(branch, Phase::entering);
  return branch;
}

void Engine::make_ready(Branch& branch, Phase phase) {
  branch.phase = phase;
  execution_.ready.push_back(branch.id);
}

HistoryEvent& Engine::event_after(std::int64_t previous, std::string type, std::string details) {
  HistoryEvent& event = step_.history.emplace_back();
  event.id = execution_.next_event++;
  event.previous = previous;
  event.time = now_;
  event.type = std::move(type);
  event.details = std::move(details);
  return event;
}

HistoryEvent& Engine::event(Branch& branch, std::string type, std::string details) {
  HistoryEvent& added = event_after(branch.previous_event, std::move(type), std::move(details));
  branch.previous_event = added.id;
  return added;
}

std::int64_t Engine::start_timer(const Branch& branch, base::Timestamp due, std::string purpose) {
  const std::int64_t timer = execution_.next_timer++;
  decide(StartTimer{timer, due, branch.state, std::move(purpose)});
  return timer;
}

void Engine::cancel_timer(std::int64_t& timer) {
  if (timer != 0) decide(CancelTimer{timer});
  timer = 0;
}

void Engine::begin() {
  HistoryEvent& started = event_after(0, "ExecutionStarted", "executionStartedEventDetails");
  started.texts.emplace_back("input", execution_.input);
  started.members["roleArn"] = execution_.role_arn;
  if (const auto timeout = machine_.timeout_seconds(); timeout && execution_.flow == 0) {
    execution_.execution_timer = execution_.next_timer++;
    decide(StartTimer{execution_.execution_timer, now_ + std::chrono::seconds(*timeout), "",
                      "execution timeout"});
  }
  Branch& branch = add_branch(-1, 0, execution_.flow, execution_.input);
  branch.item = execution_.item;
}

void Engine::run() {
  std::size_t done = 0;
  while (execution_.status == Status::running && !execution_.ready.empty()) {
    if (done++ >= limits_.transitions) {
      decide(Continue{});
      return;
    }
    const std::int64_t id = execution_.ready.front();
    execution_.ready.pop_front();
    if (Branch* branch = find(id)) advance(*branch);
    if (execution_.status == Status::running &&
        execution_.next_event > limits_.history_events + 1) {
      stop_all(Status::failed, std::string(kRuntime),
               "The execution reached the maximum number of history events (" +
                   std::to_string(limits_.history_events) + ").");
    }
  }
}

void Engine::guarded(Branch& branch, const std::function<void()>& work) {
  const std::int64_t id = branch.id;
  context_.reset();
  try {
    work();
  } catch (const Failure& failure) {
    Branch* failed = find(id);
    if (failed == nullptr || execution_.status != Status::running) return;
    if (!failure.location().empty()) {
      HistoryEvent& problem = event(*failed, "EvaluationFailed", "evaluationFailedEventDetails");
      problem.members["error"] = failure.error();
      problem.members["cause"] = failure.cause();
      problem.members["location"] = failure.location();
      problem.members["state"] = failed->state;
    }
    fail_state(*failed, with_place(*failed, failure));
  }
}

void Engine::advance(Branch& branch) {
  if (branch.phase == Phase::entering) enter(branch);
  execute(branch);
}

void Engine::enter(Branch& branch) {
  const State& state = state_of(branch);
  HistoryEvent& entered = event(branch, state_event(state, "Entered"), "stateEnteredEventDetails");
  entered.members["name"] = state.name;
  entered.texts.emplace_back("input", branch.input);
  branch.entered_event = entered.id;
  branch.entered_at = now_;
  branch.retry_count = 0;
  branch.attempts.assign(state.retry.size(), 0);
}

void Engine::execute(Branch& branch) {
  const State& state = state_of(branch);
  guarded(branch, [&] {
    switch (state.type) {
      case StateType::pass:
        return run_pass(branch, state);
      case StateType::task:
        return run_task(branch, state);
      case StateType::choice:
        return run_choice(branch, state);
      case StateType::wait:
        return run_wait(branch, state);
      case StateType::succeed:
        return run_succeed(branch, state);
      case StateType::fail:
        return run_fail(branch, state);
      case StateType::parallel:
        return run_parallel(branch, state);
      case StateType::map:
        return run_map(branch, state);
    }
  });
}

void Engine::leave(Branch& branch, const Data& output, const std::string& next, Assigned assigned) {
  const State& state = state_of(branch);
  check_variables(branch, assigned);
  assign(branch, assigned);
  HistoryEvent& exited = event(branch, state_event(state, "Exited"), "stateExitedEventDetails");
  exited.members["name"] = state.name;
  exited.texts.emplace_back("output", output);
  exited.assigned = std::move(assigned);
  branch.fork.reset();
  branch.task_token.clear();
  if (next.empty()) {
    end_branch(branch, output);
    return;
  }
  branch.state = next;
  branch.input = output;
  make_ready(branch, Phase::entering);
}

void Engine::end_branch(Branch& branch, const Data& output) {
  if (branch.parent < 0) {
    finish(Status::succeeded, output, std::nullopt, std::nullopt, branch.previous_event);
    return;
  }
  child_finished(*find(branch.parent), branch, output);
}

void Engine::finish(Status status, Data output, std::optional<std::string> error,
                    std::optional<std::string> cause, std::int64_t previous) {
  execution_.status = status;
  execution_.output = output;
  const bool named = status == Status::failed || status == Status::aborted;
  if (named) {
    execution_.error = error;
    execution_.cause = cause;
  }
  struct Names {
    const char* type;
    const char* details;
  };
  const Names names = [&]() -> Names {
    switch (status) {
      case Status::succeeded:
        return {"ExecutionSucceeded", "executionSucceededEventDetails"};
      case Status::timed_out:
        return {"ExecutionTimedOut", "executionTimedOutEventDetails"};
      case Status::aborted:
        return {"ExecutionAborted", "executionAbortedEventDetails"};
      default:
        return {"ExecutionFailed", "executionFailedEventDetails"};
    }
  }();
  HistoryEvent& ended = event_after(previous, names.type, names.details);
  if (output != nullptr) ended.texts.emplace_back("output", output);
  if (status == Status::timed_out) ended.members["error"] = kTimeout;
  if (named && error) ended.members["error"] = *error;
  if (named && cause) ended.members["cause"] = *cause;
  cancel_timer(execution_.execution_timer);
  execution_.branches.clear();
  execution_.ready.clear();
  decide(Finish{status});
}

void Engine::handle(const EventBody& body) {
  struct Handle {
    Engine& engine;

    void operator()(const Resume& /*event*/) const {}
    void operator()(const TaskStarted& event) const {
      if (Branch* branch = engine.find_task(event.task)) {
        engine.note_task_started(*branch, event.worker);
      }
    }
    void operator()(const TaskSubmitted& event) const {
      Branch* branch = engine.find_task(event.task);
      if (branch == nullptr) return;
      engine.note_task_started(*branch, "");
      const State& state = engine.state_of(*branch);
      if (state.resource.kind != Resource::Kind::service) return;
      HistoryEvent& submitted = engine.event(*branch, "TaskSubmitted", "taskSubmittedEventDetails");
      submitted.members["resourceType"] = state.resource.type;
      submitted.members["resource"] = state.resource.action;
      if (event.output != nullptr) submitted.texts.emplace_back("output", event.output);
    }
    void operator()(const TaskSucceeded& event) const {
      if (Branch* branch = engine.find_task(event.task)) {
        engine.task_succeeded(*branch, event.output);
      }
    }
    void operator()(const TaskFailed& event) const {
      Branch* branch = engine.find_task(event.task);
      if (branch == nullptr) return;
      engine.note_task_started(*branch, "");
      branch->task = 0;  // it is over, there is nothing to cancel
      engine.stop_waiting(*branch);
      engine.note_task_failed(*branch, "Failed", event.error, event.cause);
      engine.fail_state(*branch, Failure(event.error, event.cause));
    }
    void operator()(const TaskHeartbeat& event) const {
      Branch* branch = engine.find_task(event.task);
      if (branch == nullptr || branch->heartbeat_seconds == 0) return;
      engine.cancel_timer(branch->heartbeat);
      branch->heartbeat = engine.start_timer(
          *branch, engine.now_ + std::chrono::seconds(branch->heartbeat_seconds), "heartbeat");
    }
    void operator()(const TimerFired& event) const { engine.timer_fired(event.timer); }
    void operator()(const ItemsRead& event) const {
      Branch* branch = engine.find(event.branch);
      if (branch == nullptr || branch->phase != Phase::reading_items) return;
      branch->fork->source = event.source;
      engine.guarded(
          *branch, [&] { engine.begin_children(*branch, engine.state_of(*branch), event.items); });
    }
    void operator()(const ItemsFailed& event) const {
      Branch* branch = engine.find(event.branch);
      if (branch == nullptr || branch->phase != Phase::reading_items) return;
      engine.fail_map_run(*branch, failure(kItemReaderFailed, event.cause));
    }
    void operator()(const ChildEnded& event) const { engine.child_ended(event); }
    void operator()(const ResultsWritten& event) const {
      Branch* branch = engine.find(event.branch);
      if (branch == nullptr || branch->phase != Phase::writing_results) return;
      json::object output{{"MapRunArn", branch->fork->map_run},
                          {"ResultWriterDetails", *event.details}};
      engine.event(*branch, "MapRunSucceeded");
      engine.event_after(branch->previous_event, "MapStateSucceeded");
      engine.guarded(*branch, [&] {
        engine.complete(*branch, engine.state_of(*branch), make_data(std::move(output)));
      });
    }
    void operator()(const ResultsFailed& event) const {
      Branch* branch = engine.find(event.branch);
      if (branch == nullptr || branch->phase != Phase::writing_results) return;
      engine.fail_map_run(*branch, failure(kResultWriterFailed, event.cause));
    }
    void operator()(const Stop& event) const {
      engine.stop_all(Status::aborted, event.error, event.cause);
    }
  };
  std::visit(Handle{*this}, body);
}

// --- the public face -------------------------------------------------------------------------

Step start(const StateMachine& machine, const Start& start, const StepLimits& limits) {
  Step step;
  ExecutionState& state = step.state;
  state.arn = start.arn;
  state.name = start.name;
  state.role_arn = start.role_arn;
  state.machine_arn = start.machine_arn;
  state.machine_name = start.machine_name;
  state.region = start.region;
  state.started_at = start.time;
  state.input = start.input != nullptr ? start.input : make_data(json::object());
  const auto fits = [&] {
    try {
      return text_size(*state.input, limits.data_bytes) <= limits.data_bytes;
    } catch (const Failure& failure) {
      throw base::Error(base::ErrorCode::invalid_argument, failure.cause());
    }
  };
  if (!fits()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the input of the execution is longer than " +
                          std::to_string(limits.data_bytes) +
                          " bytes; keep large data in an object and pass its name");
  }
  state.flow = start.flow;
  state.item = start.item;
  Engine engine(machine, step, start.time, start.seed, limits);
  engine.begin();
  engine.run();
  return step;
}

Step step(const StateMachine& machine, ExecutionState state, const Event& event,
          const StepLimits& limits) {
  Step step;
  step.state = std::move(state);
  if (step.state.status != Status::running) return step;
  Engine engine(machine, step, event.time, event.seed, limits);
  engine.handle(event.body);
  engine.run();
  return step;
}

}  // namespace andon::asl
