// SPDX-License-Identifier: Apache-2.0
// One state run by itself, on data and variables that are given, as TestState does it: how it ends,
// where it would go on to, and what its data is on the way. What it waits for is the host's to
// answer, by report(); a Parallel or Map has a mocked result instead of branches. One thread at a
// time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asl/engine/step.hpp"

namespace andon::asl {

struct StateTrialRequest {
  // Of a state; or of a machine, one of whose states is named.
  std::string definition;
  std::string state_name;
  Start start;  // with the state's input; its flow is found
  std::vector<std::pair<std::string, Data>> variables;
  Inspection inspection;  // what is given
};

struct StateTrialOutcome {
  enum class Status : std::uint8_t { succeeded, failed, retriable, caught_error };
  Status status = Status::succeeded;
  Data output;  // of succeeded and caught_error
  std::optional<std::string> error;
  std::optional<std::string> cause;
  std::string next;         // empty: none
  json::object inspection;  // in the names of TestState's inspectionData
};
[[nodiscard]] std::string_view to_string(StateTrialOutcome::Status status);  // "CAUGHT_ERROR"

class StateTrial {
 public:
  // Throws base::Error: invalid_argument for a definition that is wrong, not_found where the
  // machine has no such state.
  explicit StateTrial(StateTrialRequest request);

  [[nodiscard]] const State& state() const { return *state_; }
  // Runs until it waits or has ended; what it then waits for.
  [[nodiscard]] std::vector<Decision> begin();
  [[nodiscard]] std::vector<Decision> report(const Event& event);
  [[nodiscard]] bool has_ended() const { return execution_.status != Status::running; }
  // Once it has ended.
  [[nodiscard]] StateTrialOutcome outcome() const;
  [[nodiscard]] const Inspection& inspection() const { return request_.inspection; }

 private:
  std::vector<Decision> take(Step step);

  StateTrialRequest request_;
  StateMachine machine_;
  const State* state_ = nullptr;
  ExecutionState execution_;
};

}  // namespace andon::asl
