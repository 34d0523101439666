// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/step.hpp"

#include "asl/engine/engine.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

void describe(ExecutionState& state, const Start& start) {
  state.arn = start.arn;
  state.name = start.name;
  state.role_arn = start.role_arn;
  state.machine_arn = start.machine_arn;
  state.machine_name = start.machine_name;
  state.region = start.region;
  state.started_at = start.time;
  state.input = Held(start.input != nullptr ? start.input : make_data(json::object()));
  state.flow = start.flow;
  state.item = start.item;
}

}  // namespace

Step start(const StateMachine& machine, const Start& start, const StepLimits& limits) {
  Step step;
  ExecutionState& state = step.state;
  describe(state, start);
  const auto fits = [&] {
    try {
      return text_size(*state.input.get(), limits.data_bytes) <= limits.data_bytes;
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
  Engine engine(machine, step, start.time, start.seed, limits);
  engine.begin();
  engine.run();
  return step;
}

Step start_at(const StateMachine& machine, const Start& start, const Redrive& where,
              const StepLimits& limits) {
  Step step;
  describe(step.state, start);
  Engine engine(machine, step, start.time, start.seed, limits);
  engine.begin_at(where);
  engine.run();
  return step;
}

Step redrive(const StateMachine& machine, ExecutionState state, const Redrive& redrive,
             const StepLimits& limits) {
  if (state.status == Status::running || state.status == Status::succeeded) {
    throw base::Error(
        base::ErrorCode::failed_precondition,
        "Execution is " + std::string(to_string(state.status)) + " and cannot be redriven");
  }
  if (!machine.flow(state.flow).places.contains(redrive.state)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the machine has no state '" + redrive.state + "' to be redriven from");
  }
  Step step;
  step.state = std::move(state);
  step.state.status = Status::running;
  step.state.output = nullptr;
  step.state.error.reset();
  step.state.cause.reset();
  ++step.state.redrive_count;
  step.state.redriven_at = redrive.time;
  Engine engine(machine, step, redrive.time, redrive.seed, limits);
  engine.begin_again(redrive);
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

void each_outcome(const ExecutionState& state, const WriteResults& request,
                  const std::function<void(std::int64_t index, const Outcome& outcome)>& take) {
  const Branch* branch = state.find(request.branch);
  if (branch == nullptr || !branch->fork) return;
  for (std::int64_t i = 0; i < request.children; ++i) {
    if (const auto outcome = state.outcome(*branch, i)) take(i, *outcome);
  }
}

}  // namespace andon::asl
