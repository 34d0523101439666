// SPDX-License-Identifier: Apache-2.0
// What stacks have and what happened to it: resources, events, exports.
#include <algorithm>

#include "api/cloudformation/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Stack;
using control::StackResource;

constexpr std::size_t kPage = 100;
constexpr std::size_t kMostDescribed = 100;

std::vector<StackResource> standing(const CloudFormationParts& parts, const Stack& stack) {
  auto rows = parts.engine.stacks().resources(stack.id);
  std::erase_if(rows, [](const StackResource& row) { return row.ordinal > 0; });
  return rows;
}

json::object described(const Stack& stack, const StackResource& row, std::string_view time) {
  json::object output{{"StackName", stack.name},
                      {"StackId", stack.id},
                      {"LogicalResourceId", row.logical_id},
                      {"ResourceType", row.type},
                      {"ResourceStatus", row.status},
                      {"DriftInformation", {{"StackResourceDriftStatus", "NOT_CHECKED"}}}};
  output[time] = stack_time(row.updated);
  put_unless_empty(output, "PhysicalResourceId", row.physical_id);
  put_unless_empty(output, "ResourceStatusReason", row.reason);
  return output;
}

json::value describe_one(const CloudFormationParts& parts, const OperationContext& context) {
  const Stack stack = require_stack(parts, required_text(context.input, "StackName"));
  const std::string id = required_text(context.input, "LogicalResourceId");
  for (const StackResource& row : standing(parts, stack)) {
    if (row.logical_id == id) {
      return json::object{{"StackResourceDetail", described(stack, row, "LastUpdatedTimestamp")}};
    }
  }
  throw Error(ErrorCode::not_found, "Resource " + id + " does not exist for stack " + stack.name);
}

json::value describe(const CloudFormationParts& parts, const OperationContext& context) {
  std::string name = text_or_empty(context.input, "StackName");
  const std::string physical = text_or_empty(context.input, "PhysicalResourceId");
  const std::string logical = text_or_empty(context.input, "LogicalResourceId");
  if (name.empty() && physical.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "StackName, PhysicalResourceId: one of them must be given");
  }
  if (name.empty()) {
    const auto of = parts.engine.stacks().stack_of(physical);
    if (!of) {
      throw Error(ErrorCode::not_found, "Stack for " + physical + " does not exist");
    }
    name = *of;
  }
  const Stack stack = require_stack(parts, name);
  json::array resources;
  for (const StackResource& row : standing(parts, stack)) {
    if (!logical.empty() && row.logical_id != logical) continue;
    if (resources.size() == kMostDescribed) break;
    resources.push_back(described(stack, row, "Timestamp"));
  }
  return json::object{{"StackResources", std::move(resources)}};
}

json::value list(const CloudFormationParts& parts, const OperationContext& context) {
  const Stack stack = require_stack(parts, required_text(context.input, "StackName"));
  const auto page = stack_page(context.input, kPage);
  json::array summaries;
  std::optional<std::string> next;
  for (const StackResource& row : standing(parts, stack)) {
    const auto position = std::to_string(row.position);
    if (!page.after.empty() && row.position <= std::stoll(page.after)) continue;
    if (summaries.size() == page.limit) {
      next = member_text(summaries.back(), "Position");
      break;
    }
    json::object one = described(stack, row, "LastUpdatedTimestamp");
    one.erase("StackName");
    one.erase("StackId");
    one["Position"] = position;
    summaries.push_back(std::move(one));
  }
  for (json::value& one : summaries) one.as_object().erase("Position");
  json::object output{{"StackResourceSummaries", std::move(summaries)}};
  put_stack_page(output, next);
  return output;
}

json::value events(const CloudFormationParts& parts, const OperationContext& context) {
  const Stack stack = require_stack(parts, required_text(context.input, "StackName"));
  const auto found = parts.engine.stacks().events(stack.id, stack_page(context.input, kPage));
  json::array list;
  for (const control::StackEvent& event : found.items) {
    json::object one{{"StackId", stack.id},           {"EventId", event.event_id},
                     {"StackName", stack.name},       {"LogicalResourceId", event.logical_id},
                     {"ResourceType", event.type},    {"Timestamp", stack_time(event.at)},
                     {"ResourceStatus", event.status}};
    put_unless_empty(one, "PhysicalResourceId", event.physical_id);
    put_unless_empty(one, "ResourceStatusReason", event.reason);
    put_unless_empty(one, "ClientRequestToken", event.token);
    list.push_back(std::move(one));
  }
  json::object output{{"StackEvents", std::move(list)}};
  put_stack_page(output, found.next);
  return output;
}

json::value exports(const CloudFormationParts& parts, const OperationContext& context) {
  const auto found = parts.engine.stacks().exports(stack_page(context.input, kPage));
  json::array list;
  for (const control::StackExport& one : found.items) {
    list.push_back({{"ExportingStackId", one.stack_id}, {"Name", one.name}, {"Value", one.value}});
  }
  json::object output{{"Exports", std::move(list)}};
  put_stack_page(output, found.next);
  return output;
}

json::value imports(const CloudFormationParts& parts, const OperationContext& context) {
  const std::string name = required_text(context.input, "ExportName");
  const auto names = parts.engine.stacks().importers(name);
  if (names.empty()) {
    throw Error(ErrorCode::not_found, "Export '" + name + "' is not imported by any stack.");
  }
  return json::object{{"Imports", to_array(names)}};
}

}  // namespace

std::vector<Operation> stack_resource_operations(const CloudFormationParts& parts) {
  return {stack_row(parts, "DescribeStackResource", describe_one),
          stack_row(parts, "DescribeStackResources", describe),
          stack_row(parts, "ListStackResources", list),
          stack_row(parts, "DescribeStackEvents", events),
          stack_row(parts, "ListExports", exports),
          stack_row(parts, "ListImports", imports)};
}

}  // namespace andon::api
