// SPDX-License-Identifier: Apache-2.0
// What one step reads and writes: the execution's branches, its history, its decisions; with the
// time, the randomness and the limits that the step was given. Internal to asl; lives for one step.
#pragma once

#include <cstdint>
#include <string>

#include "asl/engine/step.hpp"
#include "query/document/random.hpp"

namespace andon::asl {

class StepWriter {
 public:
  StepWriter(const StateMachine& machine, Step& step, base::Timestamp time, std::uint64_t seed,
             const StepLimits& limits)
      : machine_(machine),
        step_(step),
        execution_(step.state),
        now_(time),
        random_(seed),
        limits_(limits) {}

  [[nodiscard]] const StateMachine& machine() const { return machine_; }
  [[nodiscard]] ExecutionState& execution() { return execution_; }
  [[nodiscard]] base::Timestamp now() const { return now_; }
  [[nodiscard]] query::Random& random() { return random_; }
  [[nodiscard]] const StepLimits& limits() const { return limits_; }

  // Null where there is none.
  Branch* change(std::int64_t id) { return execution_.change(id); }
  // The branch that waits for `task`.
  Branch* change_task(std::int64_t task);
  // Branch `id` if that is where it stands.
  Branch* change_in(std::int64_t id, Phase phase);
  [[nodiscard]] const State& state_of(const Branch& branch) const;
  Branch& add_branch(std::int64_t parent, std::int64_t index, std::size_t flow, Held input);
  void make_ready(Branch& branch, Phase phase);
  // Cancels what the branch waits for: timers, its task, items.
  void stop_waiting(Branch& branch);

  // The next event of the branch; of nobody, after event `previous`.
  HistoryEvent& event(Branch& branch, std::string type, std::string details = "");
  HistoryEvent& event_after(std::int64_t previous, std::string type, std::string details = "");
  std::int64_t start_timer(const Branch& branch, base::Timestamp due, std::string purpose);
  // Of the whole execution, where its definition has one.
  void start_execution_timer();
  void cancel_timer(std::int64_t& timer);
  template <typename Kind>
  void decide(Kind decision) {
    step_.decisions.emplace_back(std::move(decision));
  }

 private:
  const StateMachine& machine_;
  Step& step_;
  ExecutionState& execution_;
  base::Timestamp now_;
  query::Random random_;
  const StepLimits& limits_;
};

}  // namespace andon::asl
