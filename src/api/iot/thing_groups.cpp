// SPDX-License-Identifier: Apache-2.0
// Thing groups, as AWS IoT has them.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;
using Depth = control::Things::Depth;

constexpr PageLimits kPages{100, 250};

Depth read_depth(const json::object& input) {
  return flag(input, "recursive") ? Depth::descendants : Depth::children;
}

json::object name_and_arn(const control::ControlPlane& control, const std::string& group) {
  return {{"groupName", group}, {"groupArn", control.arns.thing_group(group)}};
}

struct Properties {
  std::optional<std::string> description;
  std::optional<std::map<std::string, std::string>> attributes;
  bool merges = false;
};
Properties read_properties(const json::object& input) {
  const base::JsonReader reader(input, "");
  Properties read;
  if (const json::object* properties = reader.optional_object("thingGroupProperties")) {
    const base::JsonReader inner(*properties, "thingGroupProperties");
    read.description = inner.optional_string("thingGroupDescription");
    if (const json::object* payload = inner.optional_object("attributePayload")) {
      read.attributes = text_map(*payload, "attributes");
      read.merges = flag(*payload, "merge");
    }
  }
  return read;
}

json::value create(control::ControlPlane& control, const OperationContext& context) {
  const Properties properties = read_properties(context.input);
  const control::ThingGroup group = control.things.create_group(
      required_text(context.input, "thingGroupName"),
      text_or_empty(context.input, "parentGroupName"), properties.description.value_or(""),
      properties.attributes.value_or(control::TagMap{}));
  if (context.input.contains("tags")) control.tags.set(group.arn, read_iot_tags(context.input));
  return json::object{
      {"thingGroupName", group.name}, {"thingGroupArn", group.arn}, {"thingGroupId", group.id}};
}

json::value update(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const Properties properties = read_properties(context.input);
  return json::object{
      {"version", control.things.update_group(
                      name, {.description = properties.description,
                             .attributes = properties.attributes,
                             .merges_attributes = properties.merges,
                             .expected_version = optional_number(context.input, "expectedVersion"),
                             .query = {}})}};
}

json::value describe(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const auto group = control.things.find_group(name);
  if (!group) throw Error(ErrorCode::not_found, "there is no thing group \"" + name + "\"");
  json::object properties{{"attributePayload", {{"attributes", to_object(group->attributes)}}}};
  put_unless_empty(properties, "thingGroupDescription", group->description);
  json::array ancestors;
  for (const std::string& ancestor : group->ancestors) {
    ancestors.emplace_back(name_and_arn(control, ancestor));
  }
  json::object metadata{{"creationDate", base::to_epoch_seconds(group->created)},
                        {"rootToParentThingGroups", std::move(ancestors)}};
  put_unless_empty(metadata, "parentGroupName", group->parent);
  json::object output{{"thingGroupName", group->name},
                      {"thingGroupId", group->id},
                      {"thingGroupArn", group->arn},
                      {"version", group->version},
                      {"thingGroupProperties", std::move(properties)},
                      {"thingGroupMetadata", std::move(metadata)}};
  if (group->query) {
    output["indexName"] = control::kThingsIndex;
    output["queryString"] = *group->query;
    output["queryVersion"] = "2017-09-30";
    output["status"] = group->is_built ? "ACTIVE" : "BUILDING";
  }
  return output;
}

json::value describe_names(const control::ControlPlane& control,
                           const control::Page<std::string>& found) {
  json::array groups;
  for (const std::string& group : found.items) groups.emplace_back(name_and_arn(control, group));
  json::object output{{"thingGroups", std::move(groups)}};
  put_next(output, found.next);
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  return describe_names(control, control.things.list_groups(
                                     text_or_empty(context.input, "namePrefixFilter"),
                                     text_or_empty(context.input, "parentGroup"),
                                     read_depth(context.input), read_page(context.input, kPages)));
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const auto expected = optional_number(context.input, "expectedVersion");
  const auto group = control.things.find_group(name);
  if (group && group->query) {
    throw Error(ErrorCode::invalid_argument,
                "thing group \"" + name + "\" is dynamic: DeleteDynamicThingGroup deletes it");
  }
  control.things.remove_group(name, expected);
  return json::object{};
}

json::value change_groups(control::ControlPlane& control, const OperationContext& context) {
  control.things.change_groups(required_text(context.input, "thingName"),
                               text_list(context.input, "thingGroupsToAdd"),
                               text_list(context.input, "thingGroupsToRemove"));
  return json::object{};
}

// By name or by ARN.
std::string read_target(const json::object& input, std::string_view name_key,
                        std::string_view arn_key, fleet::Target::Kind kind) {
  std::string name = text_or_empty(input, name_key);
  if (!name.empty()) return name;
  const std::string arn = text_or_empty(input, arn_key);
  const auto target = fleet::parse_target_arn(arn);
  if (!target || target->kind != kind) {
    throw Error(ErrorCode::invalid_argument,
                std::string(name_key) + ": is missing, and so is a good " + std::string(arn_key));
  }
  return target->name;
}

struct Membership {
  std::string thing;
  std::string group;
};
Membership read_membership(const json::object& input) {
  return {read_target(input, "thingName", "thingArn", fleet::Target::Kind::thing),
          read_target(input, "thingGroupName", "thingGroupArn", fleet::Target::Kind::thing_group)};
}

json::value add(control::ControlPlane& control, const OperationContext& context) {
  const Membership membership = read_membership(context.input);
  control.things.add_to_group(membership.thing, membership.group);
  return json::object{};
}

json::value take_out(control::ControlPlane& control, const OperationContext& context) {
  const Membership membership = read_membership(context.input);
  control.things.remove_from_group(membership.thing, membership.group);
  return json::object{};
}

json::value list_members(const control::ControlPlane& control, const OperationContext& context) {
  const auto found =
      control.things.list_members(required_text(context.input, "thingGroupName"),
                                  read_depth(context.input), read_page(context.input, kPages));
  json::object output{{"things", to_array(found.items)}};
  put_next(output, found.next);
  return output;
}

json::value list_for_thing(const control::ControlPlane& control, const OperationContext& context) {
  return describe_names(control,
                        control.things.list_groups_of(required_text(context.input, "thingName"),
                                                      read_page(context.input, kPages)));
}

}  // namespace

std::vector<Operation> thing_group_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "CreateThingGroup", "POST", "/thing-groups/{thingGroupName}", create),
      iot_row(control, "DescribeThingGroup", "GET", "/thing-groups/{thingGroupName}", describe),
      iot_row(control, "ListThingGroups", "GET", "/thing-groups", list),
      iot_row(control, "UpdateThingGroup", "PATCH", "/thing-groups/{thingGroupName}", update),
      iot_row(control, "UpdateThingGroupsForThing", "PUT",
              "/thing-groups/updateThingGroupsForThing", change_groups),
      iot_row(control, "DeleteThingGroup", "DELETE", "/thing-groups/{thingGroupName}", remove),
      iot_row(control, "AddThingToThingGroup", "PUT", "/thing-groups/addThingToThingGroup", add),
      iot_row(control, "RemoveThingFromThingGroup", "PUT",
              "/thing-groups/removeThingFromThingGroup", take_out),
      iot_row(control, "ListThingsInThingGroup", "GET", "/thing-groups/{thingGroupName}/things",
              list_members),
      iot_row(control, "ListThingGroupsForThing", "GET", "/things/{thingName}/thing-groups",
              list_for_thing),
  };
}

}  // namespace andon::api
