// SPDX-License-Identifier: Apache-2.0
// A state that fails: retried, caught, or the end of its branch and of what the branch belongs to.
// Internal to asl.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "asl/engine/part.hpp"

namespace andon::asl {

class Failures : Part {
 public:
  explicit Failures(Parts& parts) : Part(parts) {}

  // Does `work` for the branch; a Failure that it throws fails the branch's state.
  void guarded(Branch& branch, const std::function<void()>& work);
  // `event` is written where the state is not retried; null: none.
  void fail_state(Branch& branch, const Failure& failure, const char* event = nullptr);
  // What nothing catches.
  void fail_branch(Branch& branch, const Failure& failure);

 private:
  bool try_retry(Branch& branch, const State& state, const Failure& failure);
  bool try_catch(Branch& branch, const State& state, const Failure& failure);
};

}  // namespace andon::asl
