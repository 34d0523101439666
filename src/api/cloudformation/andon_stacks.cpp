// SPDX-License-Identifier: Apache-2.0
// PlanStack and ApplyStack: what `andon apply` asks for. Beside CloudFormation's own they tell what
// differs, and can leave in the stack what the template no longer has.
#include "api/cloudformation/rows.hpp"
#include "api/constraints/rows.hpp"
#include "base/error/error.hpp"
#include "stacks/language/template.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

StackWish read_ask(const CloudFormationParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  StackWish wish;
  wish.name = required_text(input, "stackName");
  wish.template_text = required_text(input, "templateBody");
  wish.parameters = text_map(input, "parameters");
  wish.tags = text_map(input, "tags");
  wish.prune = flag(input, "prune");
  wish.token = text_or_empty(input, "clientToken");
  const auto there = parts.engine.stacks().find(wish.name);
  if (!there) return wish;
  // A parameter that is not named keeps the value that it was given, as with `aws cloudformation
  // deploy`.
  const stacks::Template read = stacks::read_template(wish.template_text, "the template");
  for (const auto& [name, value] : there->parameters) {
    if (read.find_parameter(name) != nullptr) wish.parameters.try_emplace(name, value);
  }
  return wish;
}

json::object shown(const StackPlan& plan, const StackWish& wish) {
  std::vector<std::string> secrets;
  for (const stacks::Parameter& one :
       stacks::read_template(wish.template_text, "the template").parameters) {
    const auto value = plan.parameters.find(one.name);
    if (one.is_secret && value != plan.parameters.end() && !value->second.empty()) {
      secrets.push_back(value->second);
    }
  }
  const auto hidden = [&secrets](const json::value& value) -> json::value {
    const std::string text = base::to_text(value);
    for (const std::string& secret : secrets) {
      if (text.find(secret) != std::string::npos) return json::value("****");
    }
    return value;
  };
  json::array steps;
  for (const PlanStep& step : plan.steps) {
    json::object one{
        {"action", to_string(step.action)}, {"logicalId", step.id}, {"type", step.type}};
    put_unless_empty(one, "physicalId", step.physical_id);
    put_unless_empty(one, "reason", step.reason);
    json::array differences;
    for (const auto& difference : step.differences) {
      json::object told{{"place", difference.place}};
      if (difference.before) told["before"] = hidden(*difference.before);
      if (difference.after) told["after"] = hidden(*difference.after);
      differences.push_back(std::move(told));
    }
    one["differences"] = std::move(differences);
    steps.push_back(std::move(one));
  }
  return {{"isNew", plan.is_new},
          {"hasChanges", plan.has_changes()},
          {"steps", std::move(steps)},
          {"leftOut", plan.left_out}};
}

json::value plan(const CloudFormationParts& parts, const OperationContext& context) {
  const StackWish wish = read_ask(parts, context);
  return shown(parts.engine.plan(wish, context.caller), wish);
}

json::value apply(const CloudFormationParts& parts, const OperationContext& context) {
  const StackWish wish = read_ask(parts, context);
  const auto there = parts.engine.stacks().find(wish.name);
  const bool is_new = !there || there->status == "REVIEW_IN_PROGRESS";
  const control::Stack stack = is_new ? parts.engine.create(wish, context.caller)
                                      : parts.engine.update(wish, context.caller);
  return json::object{{"stackId", stack.id}, {"status", stack.status}};
}

Operation row(const CloudFormationParts& parts, std::string_view name, std::string_view path,
              StackCall work) {
  return own_row(name, "POST", path, parts, std::move(work));
}

}  // namespace

std::vector<Operation> andon_stack_operations(const CloudFormationParts& parts) {
  return {row(parts, "PlanStack", "/andon/v1/stacks/{stackName}/plan", plan),
          row(parts, "ApplyStack", "/andon/v1/stacks/{stackName}/apply", apply)};
}

}  // namespace andon::api
