// SPDX-License-Identifier: Apache-2.0
// Runs a state machine to its end in this process: timers on a clock that jumps or on one that
// really waits, tasks answered by a function. One thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "asl/step.hpp"

namespace andon::asl {

struct LocalAnswer {
  Data output;  // null: it failed
  std::string error;
  std::string cause;
};

// Answers of tasks by state name and attempt, from a JSON text:
//   {"State": [{"result": any} | {"error": "E", "cause": "C"}, ...]}
// The n-th answer is for the n-th attempt; a single object answers every attempt.
// "State/ItemReader" and "State/ResultWriter" answer those of a distributed Map.
class MockAnswers {
 public:
  MockAnswers() = default;
  // Throws base::Error(invalid_argument).
  [[nodiscard]] static MockAnswers parse(std::string_view text);
  // The next answer of `state`. Throws base::Error(not_found) that says which one is missing.
  [[nodiscard]] LocalAnswer take(const std::string& state);

 private:
  struct Script {
    std::vector<LocalAnswer> answers;
    bool repeats = false;
    std::size_t used = 0;
  };
  std::map<std::string, Script, std::less<>> scripts_;
};

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
