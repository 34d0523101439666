// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "asl/engine.hpp"
#include "asl/path_lookup.hpp"
#include "asl/time_text.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostWaitSeconds = 24'855LL * 86'400;
constexpr std::int64_t kMostSeconds = 99'999'999;

}  // namespace

void Engine::complete(Branch& branch, const State& state, const Data& result) {
  context_.reset();
  if (state.language == QueryLanguage::jsonata) {
    Scope scope = scope_of(branch, branch.input);
    scope.result = result;
    auto assigned = evaluate_assignments(state.assign, scope);
    const Data output = state.output ? state.output->evaluate(scope) : result;
    if (output != branch.input) check_size(output, state.name);
    leave(branch, output, state.next, std::move(assigned));
    return;
  }
  Data selected = result;
  if (state.result_selector) selected = state.result_selector->evaluate(scope_of(branch, result));
  // Assign sees the result, before ResultPath puts it into the input.
  Assigned assigned;
  if (!state.assign.empty()) {
    assigned = evaluate_assignments(state.assign, scope_of(branch, selected));
  }
  Data output = selected;
  if (state.result_path.kind == DataPath::Kind::nothing) {
    output = branch.input;
  } else if (state.result_path.kind == DataPath::Kind::path) {
    output = make_data(state.result_path.path.insert(*branch.input, *selected));
  }
  output = apply_output_path(branch, state, output);
  if (output != branch.input) check_size(output, state.name);
  leave(branch, output, state.next, std::move(assigned));
}

void Engine::run_pass(Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata) {
    // $states.result is not there in a Pass; its output is its input unless Output says otherwise.
    Assigned assigned;
    Data output = branch.input;
    if (state.output || !state.assign.empty()) {
      const Scope scope = scope_of(branch, branch.input);
      assigned = evaluate_assignments(state.assign, scope);
      if (state.output) output = state.output->evaluate(scope);
    }
    if (output != branch.input) check_size(output, state.name);
    leave(branch, output, state.next, std::move(assigned));
    return;
  }
  const Data input = effective_input(branch, state);
  Data result = input;
  if (state.result) {
    result = state.result->evaluate(Scope{});
  } else if (state.parameters) {
    result = state.parameters->evaluate(scope_of(branch, input));
  }
  complete(branch, state, result);
}

void Engine::run_succeed(Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata) {
    const Data output =
        state.output ? state.output->evaluate(scope_of(branch, branch.input)) : branch.input;
    leave(branch, output, "", {});
    return;
  }
  leave(branch, apply_output_path(branch, state, effective_input(branch, state)), "", {});
}

void Engine::run_fail(Branch& branch, const State& state) {
  std::optional<std::string> error;
  std::optional<std::string> cause;
  const auto text = [&](const Setting& setting) -> std::optional<std::string> {
    if (!setting.given()) return std::nullopt;
    const Data value = setting.evaluate(scope_of(branch, branch.input));
    if (const auto* string = value->if_string()) return std::string(*string);
    if (const QueryExpression* expression = setting.expression()) {
      throw expression->wrong_type("string", *value);
    }
    throw failure(kRuntime, "The value of the field '" + setting.field +
                                "' must be a string, but is " + base::to_text(*value));
  };
  error = text(state.error);
  cause = text(state.cause);
  if (branch.parent < 0) {
    finish(Status::failed, nullptr, error, cause, branch.previous_event);
    return;
  }
  fail_branch(branch, Failure(error.value_or(""), cause.value_or("")));
}

void Engine::run_choice(Branch& branch, const State& state) {
  const Data input = effective_input(branch, state);
  const Scope scope = scope_of(branch, input);
  const bool jsonata = state.language == QueryLanguage::jsonata;
  const auto go = [&](const std::string& next, const Assignments& assignments,
                      const std::optional<Payload>& output) {
    auto assigned = evaluate_assignments(assignments, scope);
    Data result = input;
    if (jsonata && output) result = output->evaluate(scope);
    if (!jsonata) result = apply_output_path(branch, state, input);
    if (result != branch.input) check_size(result, state.name);
    leave(branch, result, next, std::move(assigned));
  };
  for (const ChoiceRule& rule : state.choices) {
    if (!rule.holds(scope)) continue;
    go(rule.next, rule.assign, rule.output);
    return;
  }
  if (state.default_next.empty()) {
    throw failure(kNoChoiceMatched,
                  "Failed to transition out of the state. The state does not point to a next "
                  "state.");
  }
  go(state.default_next, state.assign, state.output);
}

std::int64_t Engine::whole_number(const Setting& setting, const Scope& scope) {
  const Data value = setting.evaluate(scope);
  const double number = value->is_number() ? value->to_number<double>() : std::nan("");
  if (std::isfinite(number) && number == std::trunc(number) && std::abs(number) < 1e15) {
    return static_cast<std::int64_t>(number);
  }
  if (const QueryExpression* expression = setting.expression()) {
    throw expression->wrong_type("integer", *value);
  }
  throw failure(kRuntime, "The " + setting.field + " field refers to value \"" +
                              (value->is_string() ? std::string(value->get_string())
                                                  : base::to_text(*value)) +
                              "\" which is not a valid integer");
}

void Engine::run_wait(Branch& branch, const State& state) {
  const Scope scope = scope_of(branch, effective_input(branch, state));
  base::Timestamp due = now_;
  if (state.seconds.given()) {
    const std::int64_t seconds = whole_number(state.seconds, scope);
    if (seconds < 0) {
      throw failure(kRuntime, "The " + state.seconds.field +
                                  " field must not be negative, but is " + std::to_string(seconds));
    }
    if (seconds > kMostWaitSeconds) throw failure(kRuntime, "Wait state delay is too long.");
    due += std::chrono::seconds(seconds);
  } else {
    const Data value = state.timestamp.evaluate(scope);
    const auto* text = value->if_string();
    const auto time = text != nullptr ? parse_rfc3339(*text) : std::nullopt;
    if (!time) {
      const std::string shown = base::to_text(*value);
      if (const QueryExpression* expression = state.timestamp.expression();
          expression != nullptr && text == nullptr) {
        throw expression->wrong_type("string", *value);
      }
      throw failure(state.timestamp.expression() != nullptr ? kQueryEvaluationError : kRuntime,
                    "The " + state.timestamp.field +
                        " field does not reference a valid ISO-8601 "
                        "extended offset date-time format string: " +
                        shown);
    }
    due = *time;
    if (due - now_ > std::chrono::seconds(kMostWaitSeconds)) {
      throw failure(kRuntime, "Wait state delay is too long.");
    }
  }
  branch.phase = Phase::waiting;
  branch.timer = start_timer(branch, std::max(due, now_), "wait");
}

void Engine::end_wait(Branch& branch, const State& state) {
  const Data input = effective_input(branch, state);
  const Scope scope = scope_of(branch, input);
  Assigned assigned = evaluate_assignments(state.assign, scope);
  Data output = input;
  if (state.language == QueryLanguage::json_path) {
    output = apply_output_path(branch, state, input);
  } else if (state.output) {
    output = state.output->evaluate(scope);
  }
  if (output != branch.input) check_size(output, state.name);
  leave(branch, output, state.next, std::move(assigned));
}

void Engine::run_task(Branch& branch, const State& state) {
  branch.task_token = random_.token();
  context_.reset();
  const Data input = effective_input(branch, state);
  const Scope scope = scope_of(branch, input);
  ScheduleTask request;
  request.state = state.name;
  request.resource = state.resource;
  request.token = branch.task_token;
  request.attempt = branch.retry_count;
  const bool integration = state.resource.kind == Resource::Kind::service;
  if (state.parameters) {
    request.parameters = state.parameters->evaluate(scope);
  } else if (state.language == QueryLanguage::jsonata && integration) {
    request.parameters = make_data(json::object());
  } else {
    request.parameters = input;
  }
  if (state.credentials) request.credentials = state.credentials->evaluate(scope);
  const auto limit = [&](const Setting& setting) -> std::optional<std::int64_t> {
    if (!setting.given()) return std::nullopt;
    const std::int64_t seconds = whole_number(setting, scope);
    if (seconds < 1 || seconds > kMostSeconds) {
      throw failure(kRuntime, "The " + setting.field +
                                  " field must be from 1 to 99999999, but is " +
                                  std::to_string(seconds));
    }
    return seconds;
  };
  request.timeout_seconds = limit(state.timeout);
  request.heartbeat_seconds = limit(state.heartbeat);
  if (request.heartbeat_seconds && request.timeout_seconds &&
      *request.heartbeat_seconds >= *request.timeout_seconds) {
    throw failure(kRuntime, "HeartbeatSeconds must be smaller than TimeoutSeconds");
  }
  if (request.parameters != branch.input) check_size(request.parameters, state.name);

  const auto describe = [&](HistoryEvent& scheduled, const char* timeout_key) {
    if (request.timeout_seconds) scheduled.members[timeout_key] = *request.timeout_seconds;
    if (request.heartbeat_seconds && state.resource.kind != Resource::Kind::lambda) {
      scheduled.members["heartbeatInSeconds"] = *request.heartbeat_seconds;
    }
    if (request.credentials != nullptr) {
      const auto* role = request.credentials->if_object();
      const auto* arn = role != nullptr ? role->if_contains("RoleArn") : nullptr;
      if (arn != nullptr) scheduled.members["taskCredentials"] = json::object{{"roleArn", *arn}};
    }
  };
  switch (state.resource.kind) {
    case Resource::Kind::lambda: {
      HistoryEvent& scheduled =
          event(branch, "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails");
      scheduled.members["resource"] = state.resource.text;
      scheduled.texts.emplace_back("input", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
    case Resource::Kind::activity: {
      HistoryEvent& scheduled = event(branch, "ActivityScheduled", "activityScheduledEventDetails");
      scheduled.members["resource"] = state.resource.text;
      scheduled.texts.emplace_back("input", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
    case Resource::Kind::service: {
      HistoryEvent& scheduled = event(branch, "TaskScheduled", "taskScheduledEventDetails");
      scheduled.members["resourceType"] = state.resource.type;
      scheduled.members["resource"] = state.resource.action;
      scheduled.members["region"] = execution_.region;
      scheduled.texts.emplace_back("parameters", request.parameters);
      describe(scheduled, "timeoutInSeconds");
      break;
    }
  }
  branch.phase = Phase::working;
  branch.task = execution_.next_task++;
  branch.task_started = false;
  request.task = branch.task;
  branch.heartbeat_seconds = request.heartbeat_seconds.value_or(0);
  const auto timeout = request.timeout_seconds;
  decide(std::move(request));
  if (timeout) {
    branch.timeout = start_timer(branch, now_ + std::chrono::seconds(*timeout), "timeout");
  }
  if (branch.heartbeat_seconds > 0) {
    branch.heartbeat =
        start_timer(branch, now_ + std::chrono::seconds(branch.heartbeat_seconds), "heartbeat");
  }
}

void Engine::note_task_started(Branch& branch, const std::string& worker) {
  if (branch.task_started) return;
  branch.task_started = true;
  const State& state = state_of(branch);
  switch (state.resource.kind) {
    case Resource::Kind::lambda:
      event(branch, "LambdaFunctionStarted");
      break;
    case Resource::Kind::activity: {
      HistoryEvent& started = event(branch, "ActivityStarted", "activityStartedEventDetails");
      if (!worker.empty()) started.members["workerName"] = worker;
      break;
    }
    case Resource::Kind::service: {
      HistoryEvent& started = event(branch, "TaskStarted", "taskStartedEventDetails");
      started.members["resourceType"] = state.resource.type;
      started.members["resource"] = state.resource.action;
      break;
    }
  }
}

void Engine::note_task_failed(Branch& branch, const std::string& what, const std::string& error,
                              const std::optional<std::string>& cause) {
  const State& state = state_of(branch);
  const bool failed = what == "Failed";
  HistoryEvent* noted = nullptr;
  switch (state.resource.kind) {
    case Resource::Kind::lambda:
      noted = &event(
          branch, "LambdaFunction" + what,
          failed ? "lambdaFunctionFailedEventDetails" : "lambdaFunctionTimedOutEventDetails");
      break;
    case Resource::Kind::activity:
      noted = &event(branch, "Activity" + what,
                     failed ? "activityFailedEventDetails" : "activityTimedOutEventDetails");
      break;
    case Resource::Kind::service:
      noted = &event(branch, "Task" + what,
                     failed ? "taskFailedEventDetails" : "taskTimedOutEventDetails");
      noted->members["resourceType"] = state.resource.type;
      noted->members["resource"] = state.resource.action;
      break;
  }
  noted->members["error"] = error;
  if (cause) noted->members["cause"] = *cause;
}

void Engine::task_succeeded(Branch& branch, const Data& output) {
  note_task_started(branch, "");
  branch.task = 0;  // it is over, there is nothing to cancel
  stop_waiting(branch);
  const State& state = state_of(branch);
  guarded(branch, [&] {
    const bool service = state.resource.kind == Resource::Kind::service;
    try {
      check_size(output, service ? state.resource.type : state.resource.text);
    } catch (const Failure& failure) {
      note_task_failed(branch, "Failed", failure.error(), failure.cause());
      fail_state(branch, failure);
      return;
    }
    HistoryEvent* done = nullptr;
    switch (state.resource.kind) {
      case Resource::Kind::lambda:
        done = &event(branch, "LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails");
        break;
      case Resource::Kind::activity:
        done = &event(branch, "ActivitySucceeded", "activitySucceededEventDetails");
        break;
      case Resource::Kind::service:
        done = &event(branch, "TaskSucceeded", "taskSucceededEventDetails");
        done->members["resourceType"] = state.resource.type;
        done->members["resource"] = state.resource.action;
        break;
    }
    done->texts.emplace_back("output", output);
    complete(branch, state, output);
  });
}

}  // namespace andon::asl
