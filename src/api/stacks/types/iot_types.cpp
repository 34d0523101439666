// SPDX-License-Identifier: Apache-2.0
// Things, groups, and what devices may: policies, attachments, role aliases.
#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kMostVersions = 5;

// {name: text}; empty where there is none.
json::object attributes_of(const json::object& properties) {
  json::object made;
  const auto* payload = properties.if_contains("AttributePayload");
  const auto* attributes = payload != nullptr ? member(*payload, "Attributes") : nullptr;
  if (attributes == nullptr || !attributes->is_object()) return made;
  for (const auto& [name, value] : attributes->get_object()) made[name] = document_text(value);
  return made;
}

std::string thing_name(const Work& work) {
  return work.name("ThingName", kLongestName);
}

std::optional<json::object> find_thing(const Work& work) {
  const auto found = work.calls.find("iot", "DescribeThing", {{"thingName", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "thingArn")},
                      {"Id", member_text(*found, "thingId")}};
}

std::string create_thing(const Work& work) {
  json::object input{{"thingName", work.physical_id}};
  if (const json::object attributes = attributes_of(work.properties); !attributes.empty()) {
    input["attributePayload"] = json::object{{"attributes", attributes}};
  }
  work.calls.call("iot", "CreateThing", input);
  return work.physical_id;
}

// An attribute that is empty goes.
void update_thing(const Work& work, const json::object& before) {
  json::object attributes = attributes_of(work.properties);
  for (const auto& [name, value] : attributes_of(before)) {
    if (!attributes.contains(name)) attributes[name] = "";
  }
  work.calls.call("iot", "UpdateThing",
                  {{"thingName", work.physical_id},
                   {"attributePayload", {{"attributes", attributes}, {"merge", true}}}});
}

void remove_thing(const Work& work) {
  work.calls.call_unless_gone("iot", "DeleteThing", {{"thingName", work.physical_id}});
}

std::string group_name(const Work& work) {
  return work.name("ThingGroupName", kLongestName);
}

std::optional<json::object> find_group(const Work& work) {
  const auto found =
      work.calls.find("iot", "DescribeThingGroup", {{"thingGroupName", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "thingGroupArn")},
                      {"Id", member_text(*found, "thingGroupId")}};
}

std::string create_group(const Work& work) {
  json::object input{{"thingGroupName", work.physical_id}};
  if (const std::string parent = work.text("ParentGroupName"); !parent.empty()) {
    input["parentGroupName"] = parent;
  }
  if (const auto* properties = work.get("ThingGroupProperties");
      properties && properties->is_object()) {
    json::object made;
    if (const auto* description = member(*properties, "ThingGroupDescription")) {
      made["thingGroupDescription"] = *description;
    }
    if (const json::object attributes = attributes_of(properties->get_object());
        !attributes.empty()) {
      made["attributePayload"] = json::object{{"attributes", attributes}};
    }
    input["thingGroupProperties"] = std::move(made);
  }
  work.calls.call("iot", "CreateThingGroup", input);
  return work.physical_id;
}

void remove_group(const Work& work) {
  work.calls.call_unless_gone("iot", "DeleteThingGroup", {{"thingGroupName", work.physical_id}});
}

std::string policy_name(const Work& work) {
  return work.name("PolicyName", kLongestName);
}

std::optional<json::object> find_policy(const Work& work) {
  const auto found = work.calls.find("iot", "GetPolicy", {{"policyName", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "policyArn")}, {"Id", work.physical_id}};
}

std::string create_policy(const Work& work) {
  work.calls.call(
      "iot", "CreatePolicy",
      {{"policyName", work.physical_id}, {"policyDocument", work.text("PolicyDocument")}});
  return work.physical_id;
}

// Versions beside the one that counts, the oldest last.
std::vector<std::string> other_versions(const Work& work) {
  std::vector<std::string> others;
  const auto found =
      work.calls.find("iot", "ListPolicyVersions", {{"policyName", work.physical_id}});
  const auto* versions = found ? member(*found, "policyVersions") : nullptr;
  if (versions == nullptr || !versions->is_array()) return others;
  for (const json::value& one : versions->get_array()) {
    const auto* counts = member(one, "isDefaultVersion");
    if (counts == nullptr || !counts->is_bool() || !counts->get_bool()) {
      others.push_back(member_text(one, "versionId"));
    }
  }
  return others;
}

void remove_policy_version(const Work& work, const std::string& version) {
  work.calls.call_unless_gone("iot", "DeletePolicyVersion",
                              {{"policyName", work.physical_id}, {"policyVersionId", version}});
}

void update_policy(const Work& work, const json::object& before) {
  if (!differs(before, work.properties, {"PolicyDocument"})) return;
  const auto others = other_versions(work);
  if (others.size() + 1 >= kMostVersions) remove_policy_version(work, others.back());
  work.calls.call("iot", "CreatePolicyVersion",
                  {{"policyName", work.physical_id},
                   {"policyDocument", work.text("PolicyDocument")},
                   {"setAsDefault", true}});
}

void remove_policy(const Work& work) {
  for (const std::string& version : other_versions(work)) remove_policy_version(work, version);
  work.calls.call_unless_gone("iot", "DeletePolicy", {{"policyName", work.physical_id}});
}

// Links between two things: called the same way round to make and to end them.
std::string link_id(const Work& work, std::string_view first, std::string_view second) {
  return work.text(first) + "|" + work.text(second);
}

bool is_listed(const std::optional<json::value>& answer, std::string_view list,
               const std::string& wanted, std::string_view inner = {}) {
  const auto* all = answer ? member(*answer, list) : nullptr;
  if (all == nullptr || !all->is_array()) return false;
  for (const json::value& one : all->get_array()) {
    if ((inner.empty() ? document_text(one) : member_text(one, inner)) == wanted) return true;
  }
  return false;
}

std::string policy_link(const Work& work) {
  return link_id(work, "PolicyName", "Principal");
}
std::optional<json::object> find_policy_link(const Work& work) {
  const auto found =
      work.calls.find("iot", "ListAttachedPolicies", {{"target", work.text("Principal")}});
  if (!is_listed(found, "policies", work.text("PolicyName"), "policyName")) return std::nullopt;
  return json::object{{"Id", work.physical_id}};
}
std::string create_policy_link(const Work& work) {
  work.calls.call("iot", "AttachPolicy",
                  {{"policyName", work.text("PolicyName")}, {"target", work.text("Principal")}});
  return work.physical_id;
}
void remove_policy_link(const Work& work) {
  work.calls.call_unless_gone(
      "iot", "DetachPolicy",
      {{"policyName", work.text("PolicyName")}, {"target", work.text("Principal")}});
}

std::string thing_link(const Work& work) {
  return link_id(work, "ThingName", "Principal");
}
std::optional<json::object> find_thing_link(const Work& work) {
  const auto found =
      work.calls.find("iot", "ListThingPrincipals", {{"thingName", work.text("ThingName")}});
  if (!is_listed(found, "principals", work.text("Principal"))) return std::nullopt;
  return json::object{{"Id", work.physical_id}};
}
json::object thing_link_input(const Work& work) {
  return {{"thingName", work.text("ThingName")}, {"principal", work.text("Principal")}};
}
std::string create_thing_link(const Work& work) {
  work.calls.call("iot", "AttachThingPrincipal", thing_link_input(work));
  return work.physical_id;
}
void remove_thing_link(const Work& work) {
  work.calls.call_unless_gone("iot", "DetachThingPrincipal", thing_link_input(work));
}

std::string member_link(const Work& work) {
  return link_id(work, "ThingGroupName", "ThingName");
}
std::optional<json::object> find_member_link(const Work& work) {
  const auto found = work.calls.find("iot", "ListThingGroupsForThing",
                                     {{"thingName", work.text("ThingName")}, {"maxResults", 100}});
  if (!is_listed(found, "thingGroups", work.text("ThingGroupName"), "groupName")) {
    return std::nullopt;
  }
  return json::object{{"Id", work.physical_id}};
}
json::object member_input(const Work& work) {
  return {{"thingName", work.text("ThingName")}, {"thingGroupName", work.text("ThingGroupName")}};
}
std::string create_member_link(const Work& work) {
  work.calls.call("iot", "AddThingToThingGroup", member_input(work));
  return work.physical_id;
}
void remove_member_link(const Work& work) {
  work.calls.call_unless_gone("iot", "RemoveThingFromThingGroup", member_input(work));
}

std::string alias_name(const Work& work) {
  return work.name("RoleAlias", kLongestName);
}
std::optional<json::object> find_alias(const Work& work) {
  const auto found = work.calls.find("iot", "DescribeRoleAlias", {{"roleAlias", work.physical_id}});
  const auto* described = found ? member(*found, "roleAliasDescription") : nullptr;
  if (described == nullptr) return std::nullopt;
  return json::object{{"RoleAliasArn", member_text(*described, "roleAliasArn")}};
}
json::object alias_input(const Work& work) {
  json::object input{{"roleAlias", work.physical_id}, {"roleArn", work.text("RoleArn")}};
  if (const auto* seconds = work.get("CredentialDurationSeconds")) {
    input["credentialDurationSeconds"] = *seconds;
  }
  return input;
}
std::string create_alias(const Work& work) {
  work.calls.call("iot", "CreateRoleAlias", alias_input(work));
  return work.physical_id;
}
void update_alias(const Work& work, const json::object& /*before*/) {
  work.calls.call("iot", "UpdateRoleAlias", alias_input(work));
}
void remove_alias(const Work& work) {
  work.calls.call_unless_gone("iot", "DeleteRoleAlias", {{"roleAlias", work.physical_id}});
}

constexpr std::string_view kNoTags = "things, groups, IoT policies and role aliases have no tags";

}  // namespace

std::vector<ResourceType> iot_types() {
  const Property tags{"Tags", Kind::any, Change::left_out, kNoTags};
  return {
      {"AWS::IoT::Thing",
       {{"ThingName", Kind::text, Change::replace}, {"AttributePayload"}},
       "ThingName",
       thing_name,
       find_thing,
       create_thing,
       update_thing,
       remove_thing},
      {"AWS::IoT::ThingGroup",
       {{"ThingGroupName", Kind::text, Change::replace},
        {"ParentGroupName", Kind::text, Change::replace},
        {"ThingGroupProperties", Kind::any, Change::replace},
        tags},
       "ThingGroupName",
       group_name,
       find_group,
       create_group,
       nullptr,
       remove_group},
      {"AWS::IoT::Policy",
       {{"PolicyName", Kind::text, Change::replace}, {"PolicyDocument", Kind::document}, tags},
       "PolicyName",
       policy_name,
       find_policy,
       create_policy,
       update_policy,
       remove_policy},
      {"AWS::IoT::PolicyPrincipalAttachment",
       {{"PolicyName", Kind::text, Change::replace}, {"Principal", Kind::text, Change::replace}},
       "",
       policy_link,
       find_policy_link,
       create_policy_link,
       nullptr,
       remove_policy_link,
       true},
      {"AWS::IoT::ThingPrincipalAttachment",
       {{"ThingName", Kind::text, Change::replace}, {"Principal", Kind::text, Change::replace}},
       "",
       thing_link,
       find_thing_link,
       create_thing_link,
       nullptr,
       remove_thing_link,
       true},
      {"Andon::IoT::ThingGroupMember",
       {{"ThingName", Kind::text, Change::replace},
        {"ThingGroupName", Kind::text, Change::replace}},
       "",
       member_link,
       find_member_link,
       create_member_link,
       nullptr,
       remove_member_link,
       true},
      {"AWS::IoT::RoleAlias",
       {{"RoleAlias", Kind::text, Change::replace},
        {"RoleArn", Kind::text},
        {"CredentialDurationSeconds", Kind::integer},
        tags},
       "RoleAlias",
       alias_name,
       find_alias,
       create_alias,
       update_alias,
       remove_alias},
  };
}

}  // namespace andon::api
