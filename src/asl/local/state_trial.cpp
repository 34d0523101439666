// SPDX-License-Identifier: Apache-2.0
#include "asl/local/state_trial.hpp"

#include <array>
#include <set>

#include "asl/definition/validator.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

constexpr std::array<std::string_view, 4> kStatuses = {"SUCCEEDED", "FAILED", "RETRIABLE",
                                                       "CAUGHT_ERROR"};
constexpr const char* kName = "StateName";  // of a state that is given without one

void add_text(const json::object& object, std::string_view key, std::set<std::string>& names) {
  const auto* value = object.if_contains(key);
  if (value != nullptr && value->is_string()) names.emplace(value->get_string());
}

void add_texts(const json::object& state, std::string_view list, std::set<std::string>& names) {
  const auto* rows = state.if_contains(list);
  if (rows == nullptr || !rows->is_array()) return;
  for (const json::value& row : rows->get_array()) {
    if (row.is_object()) add_text(row.get_object(), "Next", names);
  }
}

// A machine of that state alone, with ends where it would go on to.
std::string machine_of(const json::object& state) {
  std::set<std::string> others;
  add_text(state, "Next", others);
  add_text(state, "Default", others);
  add_texts(state, "Choices", others);
  add_texts(state, "Catch", others);
  json::object states{{kName, state}};
  for (const std::string& name : others) {
    if (name != kName) states[name] = json::object{{"Type", "Succeed"}};
  }
  return base::to_text(json::object{{"StartAt", kName}, {"States", std::move(states)}});
}

StateMachine read_machine(const StateTrialRequest& request) {
  if (!request.state_name.empty()) return StateMachine::parse(request.definition);
  const json::value definition = parse_definition_text(request.definition);
  if (!definition.is_object()) {
    throw base::Error(base::ErrorCode::invalid_argument, "the definition must be a JSON object");
  }
  return StateMachine::parse(machine_of(definition.get_object()));
}

}  // namespace

std::string_view to_string(StateTrialOutcome::Status status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

StateTrial::StateTrial(StateTrialRequest request)
    : request_(std::move(request)), machine_(read_machine(request_)) {
  if (request_.state_name.empty()) request_.state_name = kName;
  // Names are unique over the machine.
  for (std::size_t number = 0; number < machine_.flow_count(); ++number) {
    const Flow& flow = machine_.flow(number);
    if (!flow.places.contains(request_.state_name)) continue;
    request_.start.flow = number;
    state_ = &flow.state(request_.state_name);
  }
  if (state_ == nullptr) {
    throw base::Error(base::ErrorCode::not_found, "State not found in definition");
  }
}

std::vector<Decision> StateTrial::take(Step step) {
  execution_ = std::move(step.state);
  return std::move(step.decisions);
}

std::vector<Decision> StateTrial::begin() {
  const StepLimits limits{.inspection = &request_.inspection};
  return take(start_at(machine_, request_.start,
                       {.state = request_.state_name,
                        .input = request_.start.input,
                        .variables = request_.variables,
                        .time = request_.start.time,
                        .seed = request_.start.seed},
                       limits));
}

std::vector<Decision> StateTrial::report(const Event& event) {
  const StepLimits limits{.inspection = &request_.inspection};
  return take(step(machine_, std::move(execution_), event, limits));
}

StateTrialOutcome StateTrial::outcome() const {
  const Inspection& seen = request_.inspection;
  StateTrialOutcome outcome;
  outcome.error = execution_.error;
  outcome.cause = execution_.cause;
  outcome.inspection = seen.seen;
  outcome.inspection["input"] = base::to_text(*request_.start.input);
  if (!seen.seen.contains("variables")) {
    json::object variables;
    for (const auto& [name, value] : request_.variables) variables[name] = *value;
    outcome.inspection["variables"] = base::to_text(variables);
  }
  if (execution_.status == Status::succeeded) {
    outcome.output = execution_.output;
    outcome.next = seen.next;
    if (!seen.caught) return outcome;
    outcome.status = StateTrialOutcome::Status::caught_error;
    outcome.error = seen.caught->error();
    outcome.cause = seen.caught->cause();
    outcome.inspection["errorDetails"] = json::object{{"catchIndex", *seen.catcher}};
    return outcome;
  }
  outcome.status = StateTrialOutcome::Status::failed;
  if (execution_.status == Status::timed_out) outcome.error = kTimeout;
  if (seen.retrier) {
    outcome.status = StateTrialOutcome::Status::retriable;
    outcome.inspection["errorDetails"] = json::object{
        {"retryIndex", *seen.retrier},
        {"retryBackoffIntervalSeconds", static_cast<std::int64_t>(seen.delay_seconds)}};
  }
  return outcome;
}

}  // namespace andon::asl
