// SPDX-License-Identifier: Apache-2.0
// Runs a state machine to its end in this process: timers on a clock that jumps or on one that
// really waits, tasks answered by a function. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "asl/engine/step.hpp"
#include "asl/local/mock_answers.hpp"

namespace andon::asl {

struct LocalRun {
  Status status = Status::succeeded;
  Data output;
  std::optional<std::string> error;
  std::optional<std::string> cause;
  std::vector<HistoryEvent> history;
};

struct LocalRunOptions {
  Start start;
  StepLimits limits;
  // Called before time goes on to `until`; a virtual clock does nothing here.
  std::function<void(base::Timestamp until)> wait;
  // Called with each event as it happens.
  std::function<void(const HistoryEvent&)> observe;
  // Called between steps; may put another state in place (a test that stores and restores).
  std::function<ExecutionState(ExecutionState)> between;
  std::size_t most_steps = 1'000'000;
};

// Throws base::Error for a missing mock answer, or where `most_steps` is reached.
[[nodiscard]] LocalRun run_locally(const StateMachine& machine, MockAnswers& answers,
                                   const LocalRunOptions& options);

}  // namespace andon::asl
