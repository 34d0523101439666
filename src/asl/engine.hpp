// SPDX-License-Identifier: Apache-2.0
// One step under way: the working side of step.hpp. Internal to asl; lives for one step.
#pragma once

#include <functional>
#include <string>

#include "asl/step.hpp"

namespace andon::asl {

using Assigned = std::vector<std::pair<std::string, Data>>;

class Engine {
 public:
  Engine(const StateMachine& machine, Step& step, base::Timestamp time, std::uint64_t seed,
         const StepLimits& limits)
      : machine_(machine),
        step_(step),
        execution_(step.state),
        now_(time),
        random_(seed),
        limits_(limits) {}

  void begin();
  void handle(const EventBody& body);
  // Runs branches until all wait for something, or the step has done enough.
  void run();

 private:
  // --- engine.cpp: branches and their moves
  Branch* find(std::int64_t id);
  Branch* find_task(std::int64_t task);
  const State& state_of(const Branch& branch) const;
  Branch& add_branch(std::int64_t parent, std::int64_t index, std::size_t flow, Data input);
  void make_ready(Branch& branch, Phase phase);
  void advance(Branch& branch);
  void enter(Branch& branch);
  void execute(Branch& branch);
  // Leaves the state with `output` for `next`, or ends the branch where that is empty.
  void leave(Branch& branch, const Data& output, const std::string& next, Assigned assigned);
  void end_branch(Branch& branch, const Data& output);
  void finish(Status status, Data output, std::optional<std::string> error,
              std::optional<std::string> cause, std::int64_t previous);
  void guarded(Branch& branch, const std::function<void()>& work);

  // --- engine_states.cpp: what each kind of state does
  void run_pass(Branch& branch, const State& state);
  void run_task(Branch& branch, const State& state);
  void run_choice(Branch& branch, const State& state);
  void run_wait(Branch& branch, const State& state);
  void end_wait(Branch& branch, const State& state);
  void run_succeed(Branch& branch, const State& state);
  void run_fail(Branch& branch, const State& state);
  // ResultSelector, ResultPath, Assign, OutputPath; or Output and Assign.
  void complete(Branch& branch, const State& state, const Data& result);
  void task_succeeded(Branch& branch, const Data& output);
  void note_task_started(Branch& branch, const std::string& worker);
  // `what` is "Failed" or "TimedOut".
  void note_task_failed(Branch& branch, const std::string& what, const std::string& error,
                        const std::optional<std::string>& cause);
  std::int64_t whole_number(const Setting& setting, const Scope& scope);

  // --- engine_fork.cpp: Parallel and inline Map
  void run_parallel(Branch& branch, const State& state);
  void run_map(Branch& branch, const State& state);
  void start_iterations(Branch& branch, const State& state, std::int64_t previous);
  Data item_input(Branch& branch, const State& state, std::int64_t index, MapItem& item);
  void child_finished(Branch& parent, Branch& child, const Data& output);
  void note_iteration(Branch& child, const Branch& parent, const std::string& what);
  void child_failed(Branch& parent, Branch& child, const Failure& failure);
  void abort_children(Branch& parent);
  Data items_of(Branch& branch, const State& state, const Scope& scope);
  std::int64_t concurrency_of(const State& state, const Scope& scope, std::int64_t most);

  // --- engine_map_run.cpp: distributed Map
  void run_distributed(Branch& branch, const State& state);
  void begin_children(Branch& branch, const State& state, const Data& items);
  void start_children(Branch& branch, const State& state);
  Data batch_input(Branch& branch, const State& state, std::int64_t count);
  json::array outputs_of(const Fork& fork, const State& state) const;
  void child_ended(const ChildEnded& event);
  void end_map_run(Branch& branch, const State& state);
  void fail_map_run(Branch& branch, const Failure& failure);

  // --- engine_failure.cpp
  void fail_state(Branch& branch, const Failure& failure);
  bool try_retry(Branch& branch, const State& state, const Failure& failure);
  bool try_catch(Branch& branch, const State& state, const Failure& failure);
  void fail_branch(Branch& branch, const Failure& failure);
  Failure with_place(const Branch& branch, const Failure& failure) const;
  void stop_waiting(Branch& branch);
  void timer_fired(std::int64_t timer);
  void stop_all(Status status, std::optional<std::string> error, std::optional<std::string> cause);

  // --- engine_data.cpp: scopes, data and their limits
  Scope scope_of(const Branch& branch, Data input);
  const ContextObject& context_of(const Branch& branch);
  Data effective_input(const Branch& branch, const State& state);
  Data apply_output_path(const Branch& branch, const State& state, const Data& output);
  Assigned evaluate_assignments(const Assignments& assignments, const Scope& scope);
  // Throws Failure where all variables together would grow beyond their limit.
  void check_variables(const Branch& branch, const Assigned& values) const;
  void assign(Branch& branch, const Assigned& values);
  void check_size(const Data& data, const std::string& subject) const;

  // --- history and decisions
  HistoryEvent& event(Branch& branch, std::string type, std::string details = "");
  HistoryEvent& event_after(std::int64_t previous, std::string type, std::string details = "");
  std::int64_t start_timer(const Branch& branch, base::Timestamp due, std::string purpose);
  void cancel_timer(std::int64_t& timer);
  template <typename Kind>
  void decide(Kind decision) {
    step_.decisions.emplace_back(std::move(decision));
  }

  const StateMachine& machine_;
  Step& step_;
  ExecutionState& execution_;
  base::Timestamp now_;
  Random random_;
  const StepLimits& limits_;
  std::unique_ptr<ContextObject> context_;  // of the branch that is worked on
};

// Whether `names` of a retrier or catcher match `failure`.
[[nodiscard]] bool error_matches(const std::vector<std::string>& names, const Failure& failure);

// Bytes of the JSON text of `value`; stops counting beyond `limit`. Throws
// Failure(States.DataLimitExceeded) for what is nested too deeply.
[[nodiscard]] std::size_t text_size(const json::value& value, std::size_t limit,
                                    std::size_t depth = 0);

}  // namespace andon::asl
