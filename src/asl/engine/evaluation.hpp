// SPDX-License-Identifier: Apache-2.0
// What the fields of a state come to for a branch: scopes, paths, assignments, and the limits of
// data. All that evaluates throws Failure. Internal to asl; lives for one step.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asl/data/failure.hpp"
#include "asl/engine/step_writer.hpp"

namespace andon::asl {

using Assigned = std::vector<std::pair<std::string, Data>>;

class Evaluation {
 public:
  explicit Evaluation(StepWriter& step) : step_(step), execution_(step.execution()) {}

  Scope scope_of(const Branch& branch, Held input);
  // The context object is made once for the branch that is worked on; to be called where another
  // is, or where what it shows has changed.
  void forget_context() { context_.reset(); }
  // Of a state that is tried out: its data at this stage, by the name of TestState's
  // inspectionData.
  void show(std::string_view stage, const Data& data) const;
  Held effective_input(const Branch& branch, const State& state);
  Data apply_output_path(const Branch& branch, const State& state, const Data& output);
  std::int64_t whole_number(const Setting& setting, const Scope& scope);
  // The same for the numbers of a Map, whose paths may also lead to the text of one.
  std::int64_t map_number(const Setting& setting, const Scope& scope);

  Assigned evaluate_assignments(const Assignments& assignments, const Scope& scope);
  // Throws Failure where all variables together would grow beyond their limit.
  void check_variables(const Branch& branch, const Assigned& values) const;
  void assign(Branch& branch, const Assigned& values);
  // Of the state or task `subject`.
  void check_size(const Data& data, const std::string& subject) const;

 private:
  Held after_input_path(const Branch& branch, const State& state);
  void make_context(const Branch& branch);

  StepWriter& step_;
  ExecutionState& execution_;
  std::unique_ptr<ContextObject> context_;
};

// Bytes of the JSON text of `value`; stops counting beyond `limit`. Throws
// Failure(States.DataLimitExceeded) for what is nested too deeply.
[[nodiscard]] std::size_t text_size(const json::value& value, std::size_t limit,
                                    std::size_t depth = 0);

}  // namespace andon::asl
