// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/machine.hpp"

#include "asl/data/path_lookup.hpp"
#include "asl/definition/validator.hpp"
#include "base/error/error.hpp"

namespace andon::asl {

std::string_view to_string(StateType type) {
  switch (type) {
    case StateType::task:
      return "Task";
    case StateType::pass:
      return "Pass";
    case StateType::choice:
      return "Choice";
    case StateType::wait:
      return "Wait";
    case StateType::succeed:
      return "Succeed";
    case StateType::fail:
      return "Fail";
    case StateType::parallel:
      return "Parallel";
    case StateType::map:
      return "Map";
  }
  return "";
}

Data Setting::evaluate(const Scope& scope) const {
  struct Evaluate {
    const Scope& scope;
    const std::string& field;
    Data operator()(std::monostate /*none*/) const { return make_data(nullptr); }
    Data operator()(const json::value& literal) const { return make_data(literal); }
    Data operator()(const query::JsonPath& path) const { return require(path, scope, field); }
    Data operator()(const std::shared_ptr<const Intrinsic>& call) const {
      return make_data(call->evaluate(scope));
    }
    Data operator()(const std::shared_ptr<const QueryExpression>& expression) const {
      return make_data(expression->evaluate(scope));
    }
  };
  return std::visit(Evaluate{scope, field}, source);
}

const QueryExpression* Setting::expression() const {
  const auto* held = std::get_if<std::shared_ptr<const QueryExpression>>(&source);
  return held != nullptr ? held->get() : nullptr;
}

Resource Resource::parse(std::string_view arn) {
  Resource resource;
  resource.text = arn;
  std::vector<std::string> parts(1);
  for (const char c : arn) {
    if (c == ':' && parts.size() < 8) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  parts.resize(8);
  if (parts[2] == "lambda") {
    resource.kind = Kind::lambda;
    resource.type = "lambda";
    resource.action = "invoke";
    return resource;
  }
  if (parts[2] == "states" && parts[5] == "activity") {
    resource.kind = Kind::activity;
    resource.type = "activity";
    return resource;
  }
  // arn:aws:states:::lambda:invoke.waitForTaskToken, arn:aws:states:::aws-sdk:iot:describeThing
  resource.type = parts[5];
  resource.action = parts[6];
  if (!parts[7].empty()) {
    if (parts[5] == "aws-sdk") {
      resource.type += ":" + parts[6];
      resource.action = parts[7];
    } else {
      resource.action += ":" + parts[7];
    }
  }
  if (resource.action.ends_with(".waitForTaskToken")) {
    resource.pattern = Pattern::task_token;
  } else if (resource.action.find(".sync") != std::string::npos) {
    resource.pattern = Pattern::sync;
  }
  return resource;
}

const State& Flow::state(std::string_view name) const {
  const auto found = places.find(name);
  if (found == places.end()) {
    throw base::Error(base::ErrorCode::internal,
                      "the state machine has no state '" + std::string(name) + "'");
  }
  return states[found->second];
}

StateMachine StateMachine::parse(std::string_view definition) {
  Definition read = read_definition(definition);
  if (!read.machine) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "Invalid State Machine Definition: '" + errors_text(read.validation) + "'");
  }
  return *std::move(read.machine);
}

}  // namespace andon::asl
