// SPDX-License-Identifier: Apache-2.0
// One step under way: the working side of step.hpp, of the parts that share it. Internal to asl;
// lives for one step.
#pragma once

#include "asl/engine/branches.hpp"
#include "asl/engine/failures.hpp"
#include "asl/engine/forks.hpp"
#include "asl/engine/kinds.hpp"
#include "asl/engine/map_runs.hpp"
#include "asl/engine/tasks.hpp"

namespace andon::asl {

// The parts, which call each other: a branch that ends may be the last of a Map, whose end moves
// another branch.
struct Parts {
  explicit Parts(StepWriter& writer) : step(writer), data(writer) {}

  StepWriter& step;
  Evaluation data;
  Branches branches{*this};
  Failures failures{*this};
  Kinds kinds{*this};
  Tasks tasks{*this};
  Forks forks{*this};
  MapRuns map_runs{*this};
};

class Engine {
 public:
  Engine(const StateMachine& machine, Step& step, base::Timestamp time, std::uint64_t seed,
         const StepLimits& limits)
      : step_(machine, step, time, seed, limits) {}

  void begin();
  void begin_again(const Redrive& redrive);
  // In any state, as one that is tried out.
  void begin_at(const Redrive& where);
  void handle(const EventBody& body);
  // Runs branches until all wait for something, or the step has done enough.
  void run();

 private:
  // The main flow's branch, in that state, with that input and those variables.
  void enter_main(const Redrive& where, std::int64_t previous);
  void timer_fired(std::int64_t timer);

  StepWriter step_;
  ExecutionState& execution_ = step_.execution();
  Parts parts_{step_};
};

}  // namespace andon::asl
