// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/branches.hpp"

#include <algorithm>

#include "asl/data/path_lookup.hpp"
#include "asl/engine/engine.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

std::string state_event(const State& state, std::string_view suffix) {
  return std::string(to_string(state.type())) + "State" + std::string(suffix);
}

}  // namespace

void Branches::advance(Branch& branch) {
  if (branch.phase == Phase::entering) enter(branch);
  parts_.kinds.run(branch);
}

void Branches::enter(Branch& branch) {
  const State& state = step_.state_of(branch);
  HistoryEvent& entered =
      step_.event(branch, state_event(state, "Entered"), "stateEnteredEventDetails");
  entered.members["name"] = state.name;
  entered.texts.emplace_back("input", branch.input.get());
  branch.entered_event = entered.id;
  branch.entered_at = step_.now();
  const Inspection* inspection = step_.limits().inspection;
  branch.retry_count = inspection != nullptr ? inspection->retries : 0;
  branch.attempts.assign(state.retry.size(), branch.retry_count);
}

void Branches::complete(Branch& branch, const State& state, const Data& result) {
  data_.forget_context();
  data_.show("result", result);
  if (state.language == QueryLanguage::jsonata) {
    Scope scope = data_.scope_of(branch, branch.input);
    scope.result = result;
    auto assigned = data_.evaluate_assignments(state.assign, scope);
    const Data output = state.output ? state.output->evaluate(scope) : result;
    if (output != branch.input.in_memory()) data_.check_size(output, state.name);
    leave(branch, output, state.next, std::move(assigned));
    return;
  }
  Data selected = result;
  if (state.result_selector)
    selected = state.result_selector->evaluate(data_.scope_of(branch, result));
  data_.show("afterResultSelector", selected);
  // Assign sees the result, before ResultPath puts it into the input.
  Assigned assigned;
  if (!state.assign.empty()) {
    assigned = data_.evaluate_assignments(state.assign, data_.scope_of(branch, selected));
  }
  Data output = selected;
  if (state.result_path.kind == DataPath::Kind::nothing) {
    output = branch.input.get();
  } else if (state.result_path.kind == DataPath::Kind::path) {
    output = insert_at(state.result_path.path, *branch.input.get(), *selected);
  }
  data_.show("afterResultPath", output);
  output = data_.apply_output_path(branch, state, output);
  if (output != branch.input.in_memory()) data_.check_size(output, state.name);
  leave(branch, output, state.next, std::move(assigned));
}

void Branches::leave(Branch& branch, const Data& output, const std::string& next,
                     Assigned assigned) {
  const State& state = step_.state_of(branch);
  data_.check_variables(branch, assigned);
  data_.assign(branch, assigned);
  HistoryEvent& exited =
      step_.event(branch, state_event(state, "Exited"), "stateExitedEventDetails");
  exited.members["name"] = state.name;
  exited.texts.emplace_back("output", output);
  exited.assigned = std::move(assigned);
  branch.fork.reset();
  branch.task_token.clear();
  if (Inspection* inspection = step_.limits().inspection) {
    json::object variables;
    for (const auto& [name, value] : branch.variables) variables[name] = *value.get();
    data_.show("variables", make_data(std::move(variables)));
    inspection->next = next;
    finish(Status::succeeded, output, std::nullopt, std::nullopt, branch.previous_event);
    return;
  }
  if (next.empty()) {
    end_branch(branch, output);
    return;
  }
  branch.state = next;
  if (output != branch.input.in_memory()) branch.input = output;
  step_.make_ready(branch, Phase::entering);
}

void Branches::end_branch(Branch& branch, const Data& output) {
  if (branch.parent < 0) {
    finish(Status::succeeded, output, std::nullopt, std::nullopt, branch.previous_event);
    return;
  }
  parts_.forks.child_finished(*step_.change(branch.parent), branch, output);
}

void Branches::finish(Status status, const Data& output, std::optional<std::string> error,
                      std::optional<std::string> cause, std::int64_t previous) {
  execution_.status = status;
  execution_.output = output;
  const bool named = status == Status::failed || status == Status::aborted;
  if (named) {
    execution_.error = error;
    execution_.cause = cause;
  }
  struct Names {
    const char* type;
    const char* details;
  };
  const Names names = [&]() -> Names {
    switch (status) {
      case Status::succeeded:
        return {"ExecutionSucceeded", "executionSucceededEventDetails"};
      case Status::timed_out:
        return {"ExecutionTimedOut", "executionTimedOutEventDetails"};
      case Status::aborted:
        return {"ExecutionAborted", "executionAbortedEventDetails"};
      default:
        return {"ExecutionFailed", "executionFailedEventDetails"};
    }
  }();
  HistoryEvent& ended = step_.event_after(previous, names.type, names.details);
  if (output != nullptr) ended.texts.emplace_back("output", output);
  if (status == Status::timed_out) ended.members["error"] = kTimeout;
  if (named && error) ended.members["error"] = *error;
  if (named && cause) ended.members["cause"] = *cause;
  step_.cancel_timer(execution_.execution_timer);
  execution_.erase_all_branches();
  execution_.ready.clear();
  step_.decide(Finish{status});
}

void Branches::stop_all(Status status, std::optional<std::string> error,
                        std::optional<std::string> cause) {
  std::int64_t previous = 0;
  std::vector<std::int64_t> living{execution_.main_branch};
  for (std::size_t i = 0; i < living.size(); ++i) {
    const Branch* branch = execution_.find(living[i]);
    if (branch == nullptr) {
      throw base::Error(base::ErrorCode::data_corrupted,
                        "the stored execution cannot be read: it runs, but its branch " +
                            std::to_string(living[i]) + " is missing");
    }
    if (branch->fork) {
      living.insert(living.end(), branch->fork->branches.begin(), branch->fork->branches.end());
    }
  }
  // At AWS an execution that is stopped in a Wait state ends after nothing.
  const bool waits = execution_.find(execution_.main_branch)->phase == Phase::waiting;
  std::ranges::sort(living);
  for (const std::int64_t id : living) {
    Branch& branch = *step_.change(id);
    previous = std::max(previous, branch.previous_event);
    if (branch.phase == Phase::running_children) step_.decide(AbortChildren{branch.id});
    step_.stop_waiting(branch);
  }
  finish(status, nullptr, std::move(error), std::move(cause),
         waits || status == Status::timed_out ? 0 : previous);
}

}  // namespace andon::asl
