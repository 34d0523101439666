// SPDX-License-Identifier: Apache-2.0
// IAM: roles, policies inside them and by themselves.
#include <map>

#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestPolicy = 128;
constexpr std::size_t kMostVersions = 5;

std::string path_of(const Work& work) {
  const std::string path = work.text("Path");
  return path.empty() ? "/" : path;
}

// {name: document} of a role's Policies.
std::map<std::string, std::string> inner_policies(const json::object& properties) {
  std::map<std::string, std::string> all;
  const auto* list = properties.if_contains("Policies");
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& one : list->get_array()) {
    all[member_text(one, "PolicyName")] = member_text(one, "PolicyDocument");
  }
  return all;
}

void put_role_policies(const Work& work, const json::object& before) {
  const auto had = inner_policies(before);
  const auto wanted = inner_policies(work.properties);
  for (const auto& [name, document] : wanted) {
    const auto old = had.find(name);
    if (old != had.end() && old->second == document) continue;
    work.calls.call(
        "iam", "PutRolePolicy",
        {{"RoleName", work.physical_id}, {"PolicyName", name}, {"PolicyDocument", document}});
  }
  for (const auto& [name, document] : had) {
    if (wanted.contains(name)) continue;
    work.calls.call_unless_gone("iam", "DeleteRolePolicy",
                                {{"RoleName", work.physical_id}, {"PolicyName", name}});
  }
  const auto attached = texts(before.if_contains("ManagedPolicyArns"));
  const auto attach = texts(work.get("ManagedPolicyArns"));
  for (const std::string& arn : without(attach, attached)) {
    work.calls.call("iam", "AttachRolePolicy",
                    {{"RoleName", work.physical_id}, {"PolicyArn", arn}});
  }
  for (const std::string& arn : without(attached, attach)) {
    work.calls.call_unless_gone("iam", "DetachRolePolicy",
                                {{"RoleName", work.physical_id}, {"PolicyArn", arn}});
  }
}

std::string role_name(const Work& work) {
  return work.name("RoleName", kLongestName);
}

std::optional<json::object> find_role(const Work& work) {
  const auto found = work.calls.find("iam", "GetRole", {{"RoleName", work.physical_id}});
  if (!found) return std::nullopt;
  const auto* role = member(*found, "Role");
  return json::object{{"Arn", member_text(*role, "Arn")}, {"RoleId", member_text(*role, "RoleId")}};
}

std::string create_role(const Work& work) {
  json::object input = work.pick({"Path", "Description", "Tags"});
  input["RoleName"] = work.physical_id;
  input["AssumeRolePolicyDocument"] = work.text("AssumeRolePolicyDocument");
  if (work.get("MaxSessionDuration") != nullptr) {
    input["MaxSessionDuration"] = work.text("MaxSessionDuration");
  }
  work.calls.call("iam", "CreateRole", input);
  put_role_policies(work, {});
  return work.physical_id;
}

void update_role(const Work& work, const json::object& before) {
  if (differs(before, work.properties, {"AssumeRolePolicyDocument"})) {
    work.calls.call("iam", "UpdateAssumeRolePolicy",
                    {{"RoleName", work.physical_id},
                     {"PolicyDocument", work.text("AssumeRolePolicyDocument")}});
  }
  if (differs(before, work.properties, {"Description", "MaxSessionDuration"})) {
    json::object input{{"RoleName", work.physical_id}, {"Description", work.text("Description")}};
    const std::string longest = work.text("MaxSessionDuration");
    input["MaxSessionDuration"] = longest.empty() ? "3600" : longest;
    work.calls.call("iam", "UpdateRole", input);
  }
  const json::object tags = tag_map(work.get("Tags"));
  const json::object old = tag_map(before.if_contains("Tags"));
  if (tags != old) {
    json::array gone;
    for (const auto& [key, value] : old) {
      if (!tags.contains(key)) gone.emplace_back(key);
    }
    if (!gone.empty()) {
      work.calls.call("iam", "UntagRole", {{"RoleName", work.physical_id}, {"TagKeys", gone}});
    }
    if (!tags.empty()) {
      work.calls.call("iam", "TagRole",
                      {{"RoleName", work.physical_id}, {"Tags", *work.get("Tags")}});
    }
  }
  put_role_policies(work, before);
}

void remove_role(const Work& work) {
  for (const auto& [name, document] : inner_policies(work.properties)) {
    work.calls.call_unless_gone("iam", "DeleteRolePolicy",
                                {{"RoleName", work.physical_id}, {"PolicyName", name}});
  }
  for (const std::string& arn : texts(work.get("ManagedPolicyArns"))) {
    work.calls.call_unless_gone("iam", "DetachRolePolicy",
                                {{"RoleName", work.physical_id}, {"PolicyArn", arn}});
  }
  work.calls.call_unless_gone("iam", "DeleteRole", {{"RoleName", work.physical_id}});
}

// Who has a policy: "Role" and the member of the properties that lists them.
struct Holder {
  std::string_view kind;
  std::string_view list;
};
constexpr Holder kHolders[] = {{"Role", "Roles"}, {"User", "Users"}, {"Group", "Groups"}};

json::object holder_input(const Holder& holder, const std::string& name) {
  json::object input;
  input[std::string(holder.kind) + "Name"] = name;
  return input;
}

std::string inline_name(const Work& work) {
  return work.name("PolicyName", kLongestPolicy);
}

// Of who has it first.
std::optional<json::object> find_inline(const Work& work) {
  for (const Holder& holder : kHolders) {
    for (const std::string& name : texts(work.get(holder.list))) {
      json::object input = holder_input(holder, name);
      input["PolicyName"] = work.physical_id;
      const std::string operation = "Get" + std::string(holder.kind) + "Policy";
      if (!work.calls.find("iam", operation, input)) return std::nullopt;
      return json::object{{"Id", work.physical_id}};
    }
  }
  return std::nullopt;
}

void put_inline(const Work& work, const json::object& before) {
  bool has_any = false;
  for (const Holder& holder : kHolders) {
    const auto wanted = texts(work.get(holder.list));
    has_any = has_any || !wanted.empty();
    for (const std::string& name : wanted) {
      json::object input = holder_input(holder, name);
      input["PolicyName"] = work.physical_id;
      input["PolicyDocument"] = work.text("PolicyDocument");
      work.calls.call("iam", "Put" + std::string(holder.kind) + "Policy", input);
    }
    for (const std::string& name : without(texts(before.if_contains(holder.list)), wanted)) {
      json::object input = holder_input(holder, name);
      input["PolicyName"] = work.physical_id;
      work.calls.call_unless_gone("iam", "Delete" + std::string(holder.kind) + "Policy", input);
    }
  }
  if (!has_any) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "an AWS::IAM::Policy has at least one of Roles, Users and Groups");
  }
}

std::string create_inline(const Work& work) {
  put_inline(work, {});
  return work.physical_id;
}

void remove_inline(const Work& work) {
  for (const Holder& holder : kHolders) {
    for (const std::string& name : texts(work.get(holder.list))) {
      json::object input = holder_input(holder, name);
      input["PolicyName"] = work.physical_id;
      work.calls.call_unless_gone("iam", "Delete" + std::string(holder.kind) + "Policy", input);
    }
  }
}

std::string managed_arn(const Work& work) {
  return work.arn("iam", "policy" + path_of(work) + work.name("ManagedPolicyName", kLongestPolicy));
}

std::optional<json::object> find_managed(const Work& work) {
  const auto found = work.calls.find("iam", "GetPolicy", {{"PolicyArn", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"PolicyArn", work.physical_id},
                      {"PolicyId", member_text(*member(*found, "Policy"), "PolicyId")}};
}

void attach_managed(const Work& work, const json::object& before) {
  for (const Holder& holder : kHolders) {
    const auto had = texts(before.if_contains(holder.list));
    const auto wanted = texts(work.get(holder.list));
    const auto ask = [&](std::string_view verb, const std::string& name, bool may_be_gone) {
      json::object input = holder_input(holder, name);
      input["PolicyArn"] = work.physical_id;
      const std::string operation = std::string(verb) + std::string(holder.kind) + "Policy";
      if (may_be_gone) {
        work.calls.call_unless_gone("iam", operation, input);
      } else {
        work.calls.call("iam", operation, input);
      }
    };
    for (const std::string& name : without(wanted, had)) ask("Attach", name, false);
    for (const std::string& name : without(had, wanted)) ask("Detach", name, true);
  }
}

std::string create_managed(const Work& work) {
  json::object input = work.pick({"Path", "Description", "Tags"});
  input["PolicyName"] = work.name("ManagedPolicyName", kLongestPolicy);
  input["PolicyDocument"] = work.text("PolicyDocument");
  work.calls.call("iam", "CreatePolicy", input);
  attach_managed(work, {});
  return work.physical_id;
}

// Versions beside the one that counts, the oldest last.
std::vector<std::string> other_versions(const Work& work) {
  std::vector<std::string> others;
  const auto found =
      work.calls.find("iam", "ListPolicyVersions", {{"PolicyArn", work.physical_id}});
  const auto* versions = found ? member(*found, "Versions") : nullptr;
  if (versions == nullptr || !versions->is_array()) return others;
  for (const json::value& one : versions->get_array()) {
    const auto* is_default = member(one, "IsDefaultVersion");
    const bool counts = is_default != nullptr && is_default->is_bool() && is_default->get_bool();
    if (!counts) others.push_back(member_text(one, "VersionId"));
  }
  return others;
}

void update_managed(const Work& work, const json::object& before) {
  if (differs(before, work.properties, {"PolicyDocument"})) {
    auto others = other_versions(work);
    if (others.size() + 1 >= kMostVersions) {
      work.calls.call_unless_gone("iam", "DeletePolicyVersion",
                                  {{"PolicyArn", work.physical_id}, {"VersionId", others.back()}});
    }
    work.calls.call("iam", "CreatePolicyVersion",
                    {{"PolicyArn", work.physical_id},
                     {"PolicyDocument", work.text("PolicyDocument")},
                     {"SetAsDefault", "true"}});
  }
  attach_managed(work, before);
}

void remove_managed(const Work& work) {
  Work nothing = work;
  nothing.properties = {};
  attach_managed(nothing, work.properties);
  for (const std::string& version : other_versions(work)) {
    work.calls.call_unless_gone("iam", "DeletePolicyVersion",
                                {{"PolicyArn", work.physical_id}, {"VersionId", version}});
  }
  work.calls.call_unless_gone("iam", "DeletePolicy", {{"PolicyArn", work.physical_id}});
}

// There are no machines of EC2 that could have it: it stands for its name and ARN.
std::string profile_name(const Work& work) {
  return work.name("InstanceProfileName", kLongestPolicy);
}

std::optional<json::object> find_profile(const Work& work) {
  if (work.physical_id != profile_name(work)) return std::nullopt;
  return json::object{
      {"Arn", work.arn("iam", "instance-profile" + path_of(work) + work.physical_id)}};
}

std::string create_profile(const Work& work) {
  return work.physical_id;
}
void update_profile(const Work& /*work*/, const json::object& /*before*/) {}
void remove_profile(const Work& /*work*/) {}

}  // namespace

std::vector<ResourceType> iam_types() {
  return {
      {"AWS::IAM::Role",
       {{"RoleName", Kind::text, Change::replace},
        {"Path", Kind::text, Change::replace},
        {"AssumeRolePolicyDocument", Kind::document},
        {"Description", Kind::text},
        {"MaxSessionDuration", Kind::integer},
        {"ManagedPolicyArns"},
        {"Policies"},
        {"Tags"}},
       "RoleName",
       role_name,
       find_role,
       create_role,
       update_role,
       remove_role},
      {"AWS::IAM::Policy",
       {{"PolicyName", Kind::text, Change::replace},
        {"PolicyDocument", Kind::document},
        {"Roles"},
        {"Users"},
        {"Groups"}},
       "PolicyName",
       inline_name,
       find_inline,
       create_inline,
       put_inline,
       remove_inline,
       true},
      {"AWS::IAM::ManagedPolicy",
       {{"ManagedPolicyName", Kind::text, Change::replace},
        {"Path", Kind::text, Change::replace},
        {"Description", Kind::text, Change::replace},
        {"PolicyDocument", Kind::document},
        {"Roles"},
        {"Users"},
        {"Groups"},
        {"Tags"}},
       "ManagedPolicyName",
       managed_arn,
       find_managed,
       create_managed,
       update_managed,
       remove_managed},
      {"AWS::IAM::InstanceProfile",
       {{"InstanceProfileName", Kind::text, Change::replace},
        {"Path", Kind::text, Change::replace},
        {"Roles"}},
       "InstanceProfileName",
       profile_name,
       find_profile,
       create_profile,
       update_profile,
       remove_profile,
       true},
  };
}

}  // namespace andon::api
