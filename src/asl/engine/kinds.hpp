// SPDX-License-Identifier: Apache-2.0
// What each kind of state does when a branch comes to it: the kinds that end at once, and Wait.
// Task, Parallel and Map have parts of their own. Internal to asl.
#pragma once

#include "asl/engine/part.hpp"

namespace andon::asl {

class Kinds : Part {
 public:
  explicit Kinds(Parts& parts) : Part(parts) {}

  // A state of any kind. A failure of it fails the state.
  void run(Branch& branch);
  // The time that the Wait state waits for has come.
  void end_wait(Branch& branch, const State& state);

 private:
  void run_pass(Branch& branch, const State& state);
  void run_choice(Branch& branch, const State& state);
  std::int64_t seconds_of(const Setting& setting, const Scope& scope);
  void run_wait(Branch& branch, const State& state);
  void run_succeed(Branch& branch, const State& state);
  void run_fail(Branch& branch, const State& state);
};

}  // namespace andon::asl
