// SPDX-License-Identifier: Apache-2.0
// Change sets: a plan that is kept until somebody executes it. It is made at once, so that it is
// never seen in the making.
#include "api/cloudformation/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::ChangeSet;
using control::Stack;

json::object to_record(const StackWish& wish) {
  return {{"name", wish.name},
          {"template", wish.template_text},
          {"parameters", to_object(wish.parameters)},
          {"tags", to_object(wish.tags)},
          {"capabilities", to_array(wish.capabilities)}};
}

StackWish from_record(const json::object& record) {
  StackWish wish;
  wish.name = std::string(record.at("name").as_string());
  wish.template_text = std::string(record.at("template").as_string());
  wish.parameters = text_map(record, "parameters");
  wish.tags = text_map(record, "tags");
  wish.capabilities = text_list(record, "capabilities");
  return wish;
}

std::string_view action_word(PlanStep::Action action) {
  switch (action) {
    case PlanStep::Action::create:
      return "Add";
    case PlanStep::Action::remove:
      return "Remove";
    default:
      return "Modify";
  }
}

json::array changes_of(const StackPlan& plan) {
  json::array changes;
  for (const PlanStep& step : plan.steps) {
    if (step.action == PlanStep::Action::same || step.action == PlanStep::Action::keep) continue;
    json::object change{{"Action", action_word(step.action)},
                        {"LogicalResourceId", step.id},
                        {"ResourceType", step.type}};
    put_unless_empty(change, "PhysicalResourceId", step.physical_id);
    const bool is_change =
        step.action == PlanStep::Action::change || step.action == PlanStep::Action::replace;
    if (is_change) {
      change["Replacement"] = step.action == PlanStep::Action::replace ? "True" : "False";
      change["Scope"] = json::array{"Properties"};
      json::array details;
      for (const auto& difference : step.differences) {
        details.push_back({{"Target",
                            {{"Attribute", "Properties"},
                             {"Name", difference.place.substr(0, difference.place.find('.'))},
                             {"RequiresRecreation",
                              step.action == PlanStep::Action::replace ? "Always" : "Never"}}},
                           {"Evaluation", "Static"},
                           {"ChangeSource", "DirectModification"}});
      }
      change["Details"] = std::move(details);
    }
    changes.push_back({{"Type", "Resource"}, {"ResourceChange", std::move(change)}});
  }
  return changes;
}

json::value create(const CloudFormationParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string type = word_or_empty(input, "ChangeSetType", {"CREATE", "UPDATE"});
  const std::string name = required_text(input, "ChangeSetName");
  constexpr std::size_t kLongest = 128;
  if (name.size() > kLongest || !base::is_name_of(name, "-") || !base::is_letter(name.front())) {
    throw Error(ErrorCode::invalid_argument,
                "ChangeSetName: begins with a letter and has up to 128 letters, digits, hyphens");
  }
  auto& stacks = parts.engine.stacks();
  auto there = stacks.find(required_text(input, "StackName"));
  const StackWish wish = read_wish(parts, context, there);
  if (type == "CREATE" && there && there->status != "REVIEW_IN_PROGRESS") {
    throw Error(ErrorCode::invalid_argument, "Stack [" + there->name +
                                                 "] already exists and cannot be created again "
                                                 "with the changeSet [" +
                                                 name + "].");
  }
  if (type != "CREATE" && (!there || there->status == "REVIEW_IN_PROGRESS")) {
    throw Error(ErrorCode::not_found, "Stack [" + wish.name + "] does not exist");
  }
  const StackPlan plan = parts.engine.plan(wish, context.caller);
  if (!there) there = parts.engine.reserve(wish);
  if (stacks.find_change_set(there->id, name)) {
    throw ServiceError(400, "AlreadyExistsException",
                       "ChangeSet " + name + " already exists for stack " + there->name);
  }
  ChangeSet made{.id = "arn:aws:cloudformation:" + parts.engine.arns().region() + ":" +
                       parts.engine.arns().account() + ":changeSet/" + name + "/" +
                       base::random_uuid(),
                 .stack_id = there->id,
                 .name = name,
                 .status = "CREATE_COMPLETE",
                 .reason = {},
                 .execution = "AVAILABLE",
                 .request = to_record(wish),
                 .changes = changes_of(plan),
                 .created = parts.engine.clock().now()};
  if (!plan.has_changes()) {
    made.status = "FAILED";
    made.reason =
        "The submitted information didn't contain changes. Submit different information "
        "to create a change set.";
    made.execution = "UNAVAILABLE";
  }
  if (const auto description = text_or_empty(input, "Description"); !description.empty()) {
    made.request["description"] = description;
  }
  stacks.put_change_set(made);
  return json::object{{"Id", made.id}, {"StackId", there->id}};
}

struct Found {
  Stack stack;
  ChangeSet change_set;
};

std::optional<Found> find(const CloudFormationParts& parts, const json::object& input) {
  const std::string name = required_text(input, "ChangeSetName");
  const std::string stack_name = text_or_empty(input, "StackName");
  auto& stacks = parts.engine.stacks();
  const auto stack = stack_name.empty() ? std::nullopt : stacks.find(stack_name);
  const auto found = stacks.find_change_set(stack ? stack->id : "", name);
  if (!found) return std::nullopt;
  const auto of = stacks.find(found->stack_id);
  if (!of) return std::nullopt;
  return Found{*of, *found};
}

Found require(const CloudFormationParts& parts, const json::object& input) {
  auto found = find(parts, input);
  if (!found) {
    throw ServiceError(404, "ChangeSetNotFound",
                       "ChangeSet [" + required_text(input, "ChangeSetName") + "] does not exist");
  }
  return *std::move(found);
}

json::value describe(const CloudFormationParts& parts, const OperationContext& context) {
  const Found found = require(parts, context.input);
  const ChangeSet& change_set = found.change_set;
  Stack shown = found.stack;
  shown.template_text = member_text(change_set.request, "template");
  shown.parameters = text_map(change_set.request, "parameters");
  json::object output{{"ChangeSetName", change_set.name},
                      {"ChangeSetId", change_set.id},
                      {"StackId", found.stack.id},
                      {"StackName", found.stack.name},
                      {"CreationTime", stack_time(change_set.created)},
                      {"ExecutionStatus", change_set.execution},
                      {"Status", change_set.status},
                      {"Parameters", parameter_list(shown)},
                      {"NotificationARNs", json::array()},
                      {"RollbackConfiguration", json::object()},
                      {"Capabilities", to_array(text_list(change_set.request, "capabilities"))},
                      {"Tags", tag_list(text_map(change_set.request, "tags"))},
                      {"Changes", change_set.changes}};
  put_unless_empty(output, "StatusReason", change_set.reason);
  put_unless_empty(output, "Description", member_text(change_set.request, "description"));
  return output;
}

json::value execute(const CloudFormationParts& parts, const OperationContext& context) {
  const Found found = require(parts, context.input);
  if (found.change_set.execution != "AVAILABLE") {
    throw ServiceError(400, "InvalidChangeSetStatus",
                       "ChangeSet [" + found.change_set.id +
                           "] cannot be executed in its current "
                           "status of [" +
                           found.change_set.status + "]");
  }
  StackWish wish = from_record(found.change_set.request);
  wish.token = text_or_empty(context.input, "ClientRequestToken");
  if (found.stack.status == "REVIEW_IN_PROGRESS") {
    (void)parts.engine.create(wish, context.caller);
  } else {
    (void)parts.engine.update(wish, context.caller);
  }
  // As AWS has it: those of the stack are gone, what they planned with is no longer so.
  for (const ChangeSet& other : parts.engine.stacks().change_sets(found.stack.id)) {
    parts.engine.stacks().remove_change_set(other.id);
  }
  return json::object();
}

json::value remove(const CloudFormationParts& parts, const OperationContext& context) {
  if (const auto found = find(parts, context.input)) {
    parts.engine.stacks().remove_change_set(found->change_set.id);
  }
  return json::object();
}

json::value list(const CloudFormationParts& parts, const OperationContext& context) {
  const Stack stack = require_stack(parts, required_text(context.input, "StackName"));
  json::array summaries;
  for (const ChangeSet& one : parts.engine.stacks().change_sets(stack.id)) {
    json::object summary{{"StackId", stack.id},
                         {"StackName", stack.name},
                         {"ChangeSetId", one.id},
                         {"ChangeSetName", one.name},
                         {"ExecutionStatus", one.execution},
                         {"Status", one.status},
                         {"CreationTime", stack_time(one.created)}};
    put_unless_empty(summary, "StatusReason", one.reason);
    summaries.push_back(std::move(summary));
  }
  return json::object{{"Summaries", std::move(summaries)}};
}

}  // namespace

std::vector<Operation> change_set_operations(const CloudFormationParts& parts) {
  return {stack_row(parts, "CreateChangeSet", create),
          stack_row(parts, "DescribeChangeSet", describe),
          stack_row(parts, "ExecuteChangeSet", execute),
          stack_row(parts, "DeleteChangeSet", remove), stack_row(parts, "ListChangeSets", list)};
}

}  // namespace andon::api
