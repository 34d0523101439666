// SPDX-License-Identifier: Apache-2.0
// What users, groups and roles have: attached and inline policies, the same for each of the three.
#include <array>
#include <utility>

#include "api/iam/rows.hpp"

namespace andon::api {
namespace {

using control::EntityKind;
using control::Iam;
using policy::DocumentKind;

std::string holder(EntityKind kind, const OperationContext& context) {
  return required_text(context.input, name_member(kind));
}

IamWork attach(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    iam.policies.attach(kind, holder(kind, context), required_text(context.input, "PolicyArn"));
    return nullptr;
  };
}

IamWork detach(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    iam.policies.detach(kind, holder(kind, context), required_text(context.input, "PolicyArn"));
    return nullptr;
  };
}

IamWork list_attached(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    (void)read_iam_page(context.input);
    json::array attached;
    for (const auto& policy : iam.policies.attached(kind, holder(kind, context))) {
      attached.push_back({{"PolicyName", policy.name}, {"PolicyArn", policy.arn}});
    }
    return json::object{{"AttachedPolicies", std::move(attached)}, {"IsTruncated", false}};
  };
}

IamWork put(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    iam.policies.put_inline(kind, holder(kind, context), required_text(context.input, "PolicyName"),
                            read_document(context.input, "PolicyDocument", DocumentKind::identity));
    return nullptr;
  };
}

IamWork get(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    const std::string name = holder(kind, context);
    const std::string policy = required_text(context.input, "PolicyName");
    json::object output;
    output[name_member(kind)] = name;
    output["PolicyName"] = policy;
    output["PolicyDocument"] = encoded_document(iam.policies.inline_document(kind, name, policy));
    return output;
  };
}

IamWork remove(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    iam.policies.remove_inline(kind, holder(kind, context),
                               required_text(context.input, "PolicyName"));
    return nullptr;
  };
}

IamWork list_inline(EntityKind kind) {
  return [kind](Iam& iam, const OperationContext& context) -> json::value {
    (void)read_iam_page(context.input);
    return json::object{
        {"PolicyNames", to_array(iam.policies.inline_names(kind, holder(kind, context)))},
        {"IsTruncated", false}};
  };
}

struct Names {
  EntityKind kind;
  std::string_view attach;
  std::string_view detach;
  std::string_view list_attached;
  std::string_view put;
  std::string_view get;
  std::string_view remove;
  std::string_view list_inline;
};
constexpr std::array<Names, 3> kNames = {{
    {EntityKind::user, "AttachUserPolicy", "DetachUserPolicy", "ListAttachedUserPolicies",
     "PutUserPolicy", "GetUserPolicy", "DeleteUserPolicy", "ListUserPolicies"},
    {EntityKind::group, "AttachGroupPolicy", "DetachGroupPolicy", "ListAttachedGroupPolicies",
     "PutGroupPolicy", "GetGroupPolicy", "DeleteGroupPolicy", "ListGroupPolicies"},
    {EntityKind::role, "AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies",
     "PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies"},
}};

}  // namespace

std::vector<Operation> held_policy_operations(Iam& iam) {
  std::vector<Operation> all;
  for (const Names& names : kNames) {
    all.push_back(iam_row(iam, names.attach, attach(names.kind)));
    all.push_back(iam_row(iam, names.detach, detach(names.kind)));
    all.push_back(iam_row(iam, names.list_attached, list_attached(names.kind)));
    all.push_back(iam_row(iam, names.put, put(names.kind)));
    all.push_back(iam_row(iam, names.get, get(names.kind)));
    all.push_back(iam_row(iam, names.remove, remove(names.kind)));
    all.push_back(iam_row(iam, names.list_inline, list_inline(names.kind)));
  }
  return all;
}

}  // namespace andon::api
