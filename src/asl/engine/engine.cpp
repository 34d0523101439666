// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/engine.hpp"

namespace andon::asl {

Part::Part(Parts& parts)
    : parts_(parts), step_(parts.step), data_(parts.data), execution_(parts.step.execution()) {}

void Engine::begin() {
  HistoryEvent& started = step_.event_after(0, "ExecutionStarted", "executionStartedEventDetails");
  started.texts.emplace_back("input", execution_.input.get());
  started.members["roleArn"] = execution_.role_arn;
  step_.start_execution_timer();
  Branch& branch = step_.add_branch(-1, 0, execution_.flow, execution_.input);
  branch.item = execution_.item;
  execution_.main_branch = branch.id;
}

void Engine::begin_again(const Redrive& redrive) {
  HistoryEvent& redriven = step_.event_after(execution_.next_event - 1, "ExecutionRedriven",
                                             "executionRedrivenEventDetails");
  redriven.members["redriveCount"] = execution_.redrive_count;
  const std::int64_t previous = redriven.id;
  step_.start_execution_timer();
  enter_main(redrive, previous);
}

void Engine::begin_at(const Redrive& where) {
  enter_main(where, 0);
}

void Engine::enter_main(const Redrive& where, std::int64_t previous) {
  // After a redrive not number 0 again: what comes late for the branches of before finds none.
  Branch& branch = step_.add_branch(-1, 0, execution_.flow, Held(where.input));
  execution_.main_branch = branch.id;
  branch.state = where.state;
  branch.item = execution_.item;
  branch.previous_event = previous;
  execution_.variable_bytes = 0;
  parts_.data.assign(branch, where.variables);
}

void Engine::run() {
  std::size_t done = 0;
  while (execution_.status == Status::running && !execution_.ready.empty()) {
    if (done++ >= step_.limits().transitions) {
      step_.decide(Continue{});
      return;
    }
    const std::int64_t id = execution_.ready.front();
    execution_.ready.pop_front();
    if (Branch* branch = step_.change(id)) parts_.branches.advance(*branch);
    if (execution_.status == Status::running &&
        execution_.next_event > step_.limits().history_events + 1) {
      parts_.branches.stop_all(Status::failed, std::string(kRuntime),
                               "The execution reached the maximum number of history events (" +
                                   std::to_string(step_.limits().history_events) + ").");
    }
  }
}

void Engine::handle(const EventBody& body) {
  struct Handle {
    Engine& engine;
    Parts& parts;

    void operator()(const Resume& /*event*/) const {}
    void operator()(const TaskStarted& event) const { parts.tasks.on(event); }
    void operator()(const TaskSubmitted& event) const { parts.tasks.on(event); }
    void operator()(const TaskSucceeded& event) const { parts.tasks.on(event); }
    void operator()(const TaskFailed& event) const { parts.tasks.on(event); }
    void operator()(const TaskHeartbeat& event) const { parts.tasks.on(event); }
    void operator()(const TimerFired& event) const { engine.timer_fired(event.timer); }
    void operator()(const ItemsRead& event) const { parts.map_runs.on(event); }
    void operator()(const ItemsFailed& event) const { parts.map_runs.on(event); }
    void operator()(const ChildEnded& event) const { parts.map_runs.on(event); }
    void operator()(const ResultsWritten& event) const { parts.map_runs.on(event); }
    void operator()(const ResultsFailed& event) const { parts.map_runs.on(event); }
    void operator()(const MapRunChanged& event) const { parts.map_runs.on(event); }
    void operator()(const Stop& event) const {
      parts.branches.stop_all(Status::aborted, event.error, event.cause);
    }
  };
  std::visit(Handle{*this, parts_}, body);
}

void Engine::timer_fired(std::int64_t timer) {
  if (timer == 0) return;
  if (timer == execution_.execution_timer) {
    execution_.execution_timer = 0;
    parts_.branches.stop_all(Status::timed_out, std::nullopt, std::nullopt);
    return;
  }
  const std::int64_t owner = ExecutionState::owner_of(timer);
  const Branch* waiting = execution_.find(owner);
  if (waiting == nullptr) return;
  if (waiting->timer == timer) {
    Branch& branch = *step_.change(owner);
    branch.timer = 0;
    if (branch.phase == Phase::waiting_retry) {
      step_.make_ready(branch, Phase::retrying);
    } else {
      parts_.failures.guarded(branch,
                              [&] { parts_.kinds.end_wait(branch, step_.state_of(branch)); });
    }
  } else if (waiting->heartbeat == timer || waiting->timeout == timer) {
    const bool heartbeat = waiting->heartbeat == timer;
    parts_.tasks.timed_out(*step_.change(owner), heartbeat);
  }
}

}  // namespace andon::asl
