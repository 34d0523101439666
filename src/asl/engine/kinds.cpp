// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/kinds.hpp"

#include <algorithm>

#include "asl/data/time_text.hpp"
#include "asl/engine/engine.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostWaitSeconds = 24'855LL * 86'400;

std::string shown_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : base::to_text(value);
}

// `value` of a Wait state's Timestamp is no time.
Failure no_time(const Setting& setting, const json::value& value) {
  constexpr std::string_view kForm = "ISO-8601 extended offset date-time format string: ";
  if (const auto* path = setting.path()) {
    return failure(kRuntime, "The " + setting.field + " parameter does not reference a valid " +
                                 std::string(kForm) + path->text() + " == " + shown_text(value));
  }
  const QueryExpression* expression = setting.expression();
  if (expression != nullptr && !value.is_string()) return expression->wrong_type("string", value);
  const Failure problem = failure(expression != nullptr ? kQueryEvaluationError : kRuntime,
                                  "The " + setting.field + " field cannot be parsed as an " +
                                      std::string(kForm) + shown_text(value));
  return expression != nullptr ? Failure(problem).at(setting.field) : problem;
}

}  // namespace

void Kinds::run(Branch& branch) {
  const State& state = step_.state_of(branch);
  parts_.failures.guarded(branch, [&] {
    switch (state.type()) {
      case StateType::pass:
        return run_pass(branch, state);
      case StateType::task:
        return parts_.tasks.run(branch, state);
      case StateType::choice:
        return run_choice(branch, state);
      case StateType::wait:
        return run_wait(branch, state);
      case StateType::succeed:
        return run_succeed(branch, state);
      case StateType::fail:
        return run_fail(branch, state);
      case StateType::parallel:
        return parts_.forks.run_parallel(branch, state);
      case StateType::map:
        return state.map().distributed ? parts_.map_runs.run(branch, state)
                                       : parts_.forks.run_map(branch, state);
    }
  });
}

void Kinds::run_pass(Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata) {
    // $states.result is not there in a Pass; its output is its input unless Output says otherwise.
    Assigned assigned;
    Data output = branch.input.get();
    if (state.output || !state.assign.empty()) {
      const Scope scope = data_.scope_of(branch, branch.input);
      assigned = data_.evaluate_assignments(state.assign, scope);
      if (state.output) output = state.output->evaluate(scope);
    }
    if (output != branch.input.in_memory()) data_.check_size(output, state.name);
    parts_.branches.leave(branch, output, state.next, std::move(assigned));
    return;
  }
  const Held input = data_.effective_input(branch, state);
  Data result = input.get();
  if (const auto& literal = state.as<PassState>().result) {
    result = literal->evaluate(Scope{});
  } else if (state.parameters) {
    result = state.parameters->evaluate(data_.scope_of(branch, input));
    data_.show("afterParameters", result);
  }
  parts_.branches.complete(branch, state, result);
}

void Kinds::run_succeed(Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata) {
    const Data output = state.output ? state.output->evaluate(data_.scope_of(branch, branch.input))
                                     : branch.input.get();
    parts_.branches.leave(branch, output, "", {});
    return;
  }
  parts_.branches.leave(
      branch, data_.apply_output_path(branch, state, data_.effective_input(branch, state).get()),
      "", {});
}

void Kinds::run_fail(Branch& branch, const State& state) {
  std::optional<std::string> error;
  std::optional<std::string> cause;
  const auto text = [&](const Setting& setting) -> std::optional<std::string> {
    if (!setting.given()) return std::nullopt;
    const Data value = setting.evaluate(data_.scope_of(branch, branch.input));
    if (const auto* string = value->if_string()) return std::string(*string);
    if (const QueryExpression* expression = setting.expression()) {
      throw expression->wrong_type("string", *value);
    }
    throw failure(kRuntime, "The value of the field '" + setting.field +
                                "' must be a string, but is " + base::to_text(*value));
  };
  error = text(state.as<FailState>().error);
  cause = text(state.as<FailState>().cause);
  if (branch.parent < 0) {
    parts_.branches.finish(Status::failed, nullptr, error, cause, branch.previous_event);
    return;
  }
  parts_.failures.fail_branch(branch, Failure(error.value_or(""), cause.value_or("")));
}

void Kinds::run_choice(Branch& branch, const State& state) {
  const Data input = data_.effective_input(branch, state).get();
  const Scope scope = data_.scope_of(branch, input);
  const bool jsonata = state.language == QueryLanguage::jsonata;
  const auto go = [&](const std::string& next, const Assignments& assignments,
                      const std::optional<Payload>& output) {
    auto assigned = data_.evaluate_assignments(assignments, scope);
    Data result = input;
    if (jsonata && output) result = output->evaluate(scope);
    if (!jsonata) result = data_.apply_output_path(branch, state, input);
    if (result != branch.input.in_memory()) data_.check_size(result, state.name);
    parts_.branches.leave(branch, result, next, std::move(assigned));
  };
  const auto& choice = state.as<ChoiceState>();
  for (const ChoiceRule& rule : choice.choices) {
    if (!rule.holds(scope)) continue;
    go(rule.next, rule.assign, rule.output);
    return;
  }
  if (choice.default_next.empty()) {
    throw failure(kNoChoiceMatched,
                  "Failed to transition out of the state. The state does not point to a next "
                  "state.");
  }
  go(choice.default_next, state.assign, state.output);
}

std::int64_t Kinds::seconds_of(const Setting& setting, const Scope& scope) {
  const query::JsonPath* path = setting.path();
  if (path == nullptr) {
    const std::int64_t seconds = data_.whole_number(setting, scope);
    if (seconds >= 0) return seconds;
    throw failure(kRuntime, "The " + setting.field + " field must not be negative, but is " +
                                std::to_string(seconds));
  }
  const Data value = setting.evaluate(scope);
  const std::string shown = path->text() + " == " + shown_text(*value);
  if (!value->is_int64()) {
    throw failure(kRuntime,
                  "The " + setting.field + " parameter cannot be parsed as a long value: " + shown);
  }
  if (value->get_int64() < 0) {
    throw failure(kRuntime,
                  "The " + setting.field + " parameter references a negative value: " + shown);
  }
  return value->get_int64();
}

void Kinds::run_wait(Branch& branch, const State& state) {
  const Scope scope = data_.scope_of(branch, data_.effective_input(branch, state));
  base::Timestamp due = step_.now();
  const auto& wait = state.as<WaitState>();
  if (wait.seconds.given()) {
    const std::int64_t seconds = seconds_of(wait.seconds, scope);
    if (seconds > kMostWaitSeconds) throw failure(kRuntime, "Wait state delay is too long.");
    due += std::chrono::seconds(seconds);
  } else {
    const Data value = wait.timestamp.evaluate(scope);
    const auto* text = value->if_string();
    const auto time = text != nullptr ? parse_rfc3339(*text) : std::nullopt;
    if (!time) throw no_time(wait.timestamp, *value);
    due = *time;
    if (due - step_.now() > std::chrono::seconds(kMostWaitSeconds)) {
      throw failure(kRuntime, "Wait state delay is too long.");
    }
  }
  branch.phase = Phase::waiting;
  branch.timer = step_.start_timer(branch, std::max(due, step_.now()), "wait");
}

void Kinds::end_wait(Branch& branch, const State& state) {
  const Data input = data_.effective_input(branch, state).get();
  const Scope scope = data_.scope_of(branch, input);
  Assigned assigned = data_.evaluate_assignments(state.assign, scope);
  Data output = input;
  if (state.language == QueryLanguage::json_path) {
    output = data_.apply_output_path(branch, state, input);
  } else if (state.output) {
    output = state.output->evaluate(scope);
  }
  if (output != branch.input.in_memory()) data_.check_size(output, state.name);
  parts_.branches.leave(branch, output, state.next, std::move(assigned));
}

}  // namespace andon::asl
