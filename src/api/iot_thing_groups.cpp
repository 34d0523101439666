// SPDX-License-Identifier: Apache-2.0
// Thing groups, as AWS IoT has them.
#include <utility>

#include "api/iot_rows.hpp"
#include "api/members.hpp"
#include "base/error.hpp"

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

json::value create(control::ControlPlane& control, const json::object& input) {
  const base::JsonReader reader(input, "");
  std::string description;
  std::map<std::string, std::string> attributes;
  if (const json::object* properties = reader.optional_object("thingGroupProperties")) {
    description = text_or_empty(*properties, "thingGroupDescription");
    const base::JsonReader inner(*properties, "thingGroupProperties");
    if (const json::object* payload = inner.optional_object("attributePayload")) {
      attributes = text_map(*payload, "attributes");
    }
  }
  const control::ThingGroup group =
      control.things.create_group(required_text(input, "thingGroupName"),
                                  text_or_empty(input, "parentGroupName"), description, attributes);
  return json::object{
      {"thingGroupName", group.name}, {"thingGroupArn", group.arn}, {"thingGroupId", group.id}};
}

json::value describe(const control::ControlPlane& control, const json::object& input) {
  const std::string name = required_text(input, "thingGroupName");
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
  return json::object{{"thingGroupName", group->name},
                      {"thingGroupId", group->id},
                      {"thingGroupArn", group->arn},
                      {"version", group->version},
                      {"thingGroupProperties", std::move(properties)},
                      {"thingGroupMetadata", std::move(metadata)}};
}

json::value describe_names(const control::ControlPlane& control,
                           const control::Page<std::string>& found) {
  json::array groups;
  for (const std::string& group : found.items) groups.emplace_back(name_and_arn(control, group));
  json::object output{{"thingGroups", std::move(groups)}};
  put_next(output, found.next);
  return output;
}

json::value list(const control::ControlPlane& control, const json::object& input) {
  return describe_names(
      control, control.things.list_groups(text_or_empty(input, "namePrefixFilter"),
                                          text_or_empty(input, "parentGroup"), read_depth(input),
                                          read_page(input, kPages)));
}

json::value remove(control::ControlPlane& control, const json::object& input) {
  try {
    control.things.remove_group(required_text(input, "thingGroupName"));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::conflict) throw;
    throw ServiceError(400, "InvalidRequestException", error.message());
  }
  return json::object{};
}

// By name or by ARN.
std::string read_target(const json::object& input, std::string_view name_key,
                        std::string_view arn_key, control::Target::Kind kind) {
  const std::string name = text_or_empty(input, name_key);
  if (!name.empty()) return name;
  const std::string arn = text_or_empty(input, arn_key);
  const auto target = control::parse_target_arn(arn);
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
  return {
      read_target(input, "thingName", "thingArn", control::Target::Kind::thing),
      read_target(input, "thingGroupName", "thingGroupArn", control::Target::Kind::thing_group)};
}

json::value add(control::ControlPlane& control, const json::object& input) {
  const Membership membership = read_membership(input);
  control.things.add_to_group(membership.thing, membership.group);
  return json::object{};
}

json::value take_out(control::ControlPlane& control, const json::object& input) {
  const Membership membership = read_membership(input);
  control.things.remove_from_group(membership.thing, membership.group);
  return json::object{};
}

json::value list_members(const control::ControlPlane& control, const json::object& input) {
  const auto found = control.things.list_members(required_text(input, "thingGroupName"),
                                                 read_depth(input), read_page(input, kPages));
  json::object output{{"things", to_array(found.items)}};
  put_next(output, found.next);
  return output;
}

json::value list_for_thing(const control::ControlPlane& control, const json::object& input) {
  return describe_names(control, control.things.list_groups_of(required_text(input, "thingName"),
                                                               read_page(input, kPages)));
}

}  // namespace

std::vector<Operation> thing_group_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "CreateThingGroup", "POST", "/thing-groups/{thingGroupName}", create),
      iot_row(control, "DescribeThingGroup", "GET", "/thing-groups/{thingGroupName}", describe),
      iot_row(control, "ListThingGroups", "GET", "/thing-groups", list),
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
