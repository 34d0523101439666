// SPDX-License-Identifier: Apache-2.0
// Stacks made, changed, deleted, described, listed.
#include <algorithm>

#include "api/cloudformation/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Stack;

constexpr std::size_t kPage = 100;

json::object described(const Stack& stack) {
  json::object output{{"StackId", stack.id},
                      {"StackName", stack.name},
                      {"CreationTime", stack_time(stack.created)},
                      {"StackStatus", stack.status},
                      {"DisableRollback", true},
                      {"NotificationARNs", json::array()},
                      {"RollbackConfiguration", json::object()},
                      {"EnableTerminationProtection", stack.is_protected},
                      {"DriftInformation", {{"StackDriftStatus", "NOT_CHECKED"}}},
                      {"Capabilities", to_array(stack.capabilities)},
                      {"Parameters", parameter_list(stack)},
                      {"Outputs", stack.outputs},
                      {"Tags", tag_list(stack.tags)}};
  put_unless_empty(output, "Description", stack.description);
  put_unless_empty(output, "StackStatusReason", stack.reason);
  if (stack.updated) output["LastUpdatedTime"] = stack_time(*stack.updated);
  if (stack.deleted) output["DeletionTime"] = stack_time(*stack.deleted);
  return output;
}

json::value create(const CloudFormationParts& parts, const OperationContext& context) {
  StackWish wish = read_wish(parts, context, std::nullopt);
  const std::string on_failure =
      word_or_empty(context.input, "OnFailure", {"DO_NOTHING", "DELETE", "ROLLBACK"});
  if (on_failure == "ROLLBACK") {
    throw Error(ErrorCode::unsupported,
                "OnFailure: what was made stays, and UpdateStack goes on from there; say "
                "DO_NOTHING or DELETE");
  }
  wish.removes_on_failure = on_failure == "DELETE";
  Stack stack = parts.engine.create(wish, context.caller);
  if (flag(context.input, "EnableTerminationProtection")) {
    stack.is_protected = true;
    parts.engine.stacks().protect(stack.id, true);
  }
  return json::object{{"StackId", stack.id}};
}

json::value update(const CloudFormationParts& parts, const OperationContext& context) {
  const auto there = parts.engine.stacks().find(required_text(context.input, "StackName"));
  if (!there) {
    throw Error(ErrorCode::not_found,
                "Stack [" + required_text(context.input, "StackName") + "] does not exist");
  }
  const StackWish wish = read_wish(parts, context, there);
  if (!there->is_in_progress() && !parts.engine.plan(wish, context.caller).has_changes()) {
    throw Error(ErrorCode::invalid_argument, "No updates are to be performed.");
  }
  return json::object{{"StackId", parts.engine.update(wish, context.caller).id}};
}

json::value remove(const CloudFormationParts& parts, const OperationContext& context) {
  const std::string name = required_text(context.input, "StackName");
  // As AWS has it: what is not there is deleted.
  if (!parts.engine.stacks().find(name)) return nullptr;
  (void)parts.engine.remove(name, text_list(context.input, "RetainResources"),
                            text_or_empty(context.input, "ClientRequestToken"), context.caller);
  return nullptr;
}

json::value describe(const CloudFormationParts& parts, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "StackName");
  json::array stacks;
  json::object output;
  if (!name.empty()) {
    stacks.push_back(described(require_stack(parts, name)));
  } else {
    const auto found =
        parts.engine.stacks().list(stack_page(context.input, kPage), /*with_deleted=*/false);
    for (const Stack& stack : found.items) stacks.push_back(described(stack));
    put_stack_page(output, found.next);
  }
  output["Stacks"] = std::move(stacks);
  return output;
}

json::value list(const CloudFormationParts& parts, const OperationContext& context) {
  const auto wanted = text_list(context.input, "StackStatusFilter");
  const auto found =
      parts.engine.stacks().list(stack_page(context.input, kPage), /*with_deleted=*/true);
  json::array summaries;
  for (const Stack& stack : found.items) {
    if (!wanted.empty() && std::ranges::find(wanted, stack.status) == wanted.end()) continue;
    json::object summary{{"StackId", stack.id},
                         {"StackName", stack.name},
                         {"CreationTime", stack_time(stack.created)},
                         {"StackStatus", stack.status},
                         {"DriftInformation", {{"StackDriftStatus", "NOT_CHECKED"}}}};
    put_unless_empty(summary, "TemplateDescription", stack.description);
    put_unless_empty(summary, "StackStatusReason", stack.reason);
    if (stack.updated) summary["LastUpdatedTime"] = stack_time(*stack.updated);
    if (stack.deleted) summary["DeletionTime"] = stack_time(*stack.deleted);
    summaries.push_back(std::move(summary));
  }
  json::object output{{"StackSummaries", std::move(summaries)}};
  put_stack_page(output, found.next);
  return output;
}

json::value protect(const CloudFormationParts& parts, const OperationContext& context) {
  const Stack stack = require_stack(parts, required_text(context.input, "StackName"));
  parts.engine.stacks().protect(stack.id, flag(context.input, "EnableTerminationProtection"));
  return json::object{{"StackId", stack.id}};
}

}  // namespace

std::vector<Operation> stack_operations(const CloudFormationParts& parts) {
  return {stack_row(parts, "CreateStack", create),
          stack_row(parts, "UpdateStack", update),
          stack_row(parts, "DeleteStack", remove),
          stack_row(parts, "DescribeStacks", describe),
          stack_row(parts, "ListStacks", list),
          stack_row(parts, "UpdateTerminationProtection", protect)};
}

}  // namespace andon::api
