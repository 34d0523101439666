// SPDX-License-Identifier: Apache-2.0
// Managed policies and their versions.
#include <utility>

#include "api/iam/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::EntityKind;
using control::Iam;
using policy::DocumentKind;

std::string arn_of(const OperationContext& context) {
  return required_text(context.input, "PolicyArn");
}

// "v3" -> 3.
std::int64_t read_version(const OperationContext& context) {
  const std::string text = required_text(context.input, "VersionId");
  const auto number =
      text.starts_with('v') ? base::parse_integer<std::int64_t>(text.substr(1), 1) : std::nullopt;
  if (!number) throw Error(ErrorCode::invalid_argument, "VersionId: must be v1, v2 ...");
  return *number;
}

std::string version_id(std::int64_t version) {
  return "v" + std::to_string(version);
}

json::object describe(const control::ManagedPolicy& policy) {
  json::object output{{"PolicyName", policy.name},
                      {"PolicyId", policy.id},
                      {"Arn", policy.arn},
                      {"Path", policy.path},
                      {"DefaultVersionId", version_id(policy.default_version)},
                      {"AttachmentCount", policy.attachments},
                      {"PermissionsBoundaryUsageCount", 0},
                      {"IsAttachable", true},
                      {"CreateDate", iam_time(policy.created)},
                      {"UpdateDate", iam_time(policy.updated)}};
  if (!policy.description.empty()) output["Description"] = policy.description;
  return output;
}

json::object describe(const control::DocumentVersion& version, bool has_document) {
  json::object output;
  if (has_document) output["Document"] = encoded_document(version.document);
  output["VersionId"] = version_id(version.version);
  output["IsDefaultVersion"] = version.is_default;
  output["CreateDate"] = iam_time(version.created);
  return output;
}

json::value create(Iam& iam, const OperationContext& context) {
  const auto tags = read_tag_list(context.input);
  const auto made = iam.policies.create(
      {.name = required_text(context.input, "PolicyName"),
       .path = path_or_root(context.input, "Path"),
       .description = text_or_empty(context.input, "Description"),
       .document = read_document(context.input, "PolicyDocument", DocumentKind::identity)},
      tags);
  json::object output = describe(made);
  if (!tags.empty()) output["Tags"] = tag_list(tags);
  return json::object{{"Policy", std::move(output)}};
}

json::value get(Iam& iam, const OperationContext& context) {
  return json::object{{"Policy", describe(iam.policies.require(arn_of(context)))}};
}

json::value list(Iam& iam, const OperationContext& context) {
  control::PolicyFilter filter;
  const std::string scope = word_or_empty(context.input, "Scope", {"All", "AWS", "Local"});
  if (scope == "AWS") filter.scope = control::PolicyFilter::Scope::ready_made;
  if (scope == "Local") filter.scope = control::PolicyFilter::Scope::own;
  filter.only_attached = flag(context.input, "OnlyAttached");
  filter.path_prefix = path_or_root(context.input, "PathPrefix");
  const auto found = iam.policies.list(filter, read_iam_page(context.input));
  json::array policies;
  for (const control::ManagedPolicy& policy : found.items) policies.push_back(describe(policy));
  json::object output{{"Policies", std::move(policies)}};
  put_marker(output, found.next);
  return output;
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.policies.remove(arn_of(context));
  return nullptr;
}

json::value create_version(Iam& iam, const OperationContext& context) {
  using Standing = control::VersionStanding;
  const auto made = iam.policies.add_version(
      arn_of(context), read_document(context.input, "PolicyDocument", DocumentKind::identity),
      flag(context.input, "SetAsDefault") ? Standing::is_default : Standing::is_other);
  return json::object{{"PolicyVersion", describe(made, false)}};
}

json::value get_version(Iam& iam, const OperationContext& context) {
  return json::object{
      {"PolicyVersion",
       describe(iam.policies.version(arn_of(context), read_version(context)), true)}};
}

json::value list_versions(Iam& iam, const OperationContext& context) {
  (void)read_iam_page(context.input);
  json::array versions;
  for (const control::DocumentVersion& version : iam.policies.versions(arn_of(context))) {
    versions.push_back(describe(version, false));
  }
  return json::object{{"Versions", std::move(versions)}, {"IsTruncated", false}};
}

json::value set_default(Iam& iam, const OperationContext& context) {
  iam.policies.set_default_version(arn_of(context), read_version(context));
  return nullptr;
}

json::value remove_version(Iam& iam, const OperationContext& context) {
  iam.policies.remove_version(arn_of(context), read_version(context));
  return nullptr;
}

json::value list_entities(Iam& iam, const OperationContext& context) {
  const std::string filter =
      word_or_empty(context.input, "EntityFilter", {"User", "Role", "Group"});
  const auto found = iam.policies.entities_of(arn_of(context), read_iam_page(context.input));
  json::array users;
  json::array groups;
  json::array roles;
  for (const control::Entity& entity : found.items) {
    const json::object whole = describe_entity(entity);
    const auto short_form = [&](std::string_view name, std::string_view id) {
      json::object output;
      output[name] = whole.at(name);
      output[id] = whole.at(id);
      return output;
    };
    if (entity.kind == EntityKind::user && (filter.empty() || filter == "User")) {
      users.push_back(short_form("UserName", "UserId"));
    } else if (entity.kind == EntityKind::group && (filter.empty() || filter == "Group")) {
      groups.push_back(short_form("GroupName", "GroupId"));
    } else if (entity.kind == EntityKind::role && (filter.empty() || filter == "Role")) {
      roles.push_back(short_form("RoleName", "RoleId"));
    }
  }
  json::object output{{"PolicyGroups", std::move(groups)},
                      {"PolicyUsers", std::move(users)},
                      {"PolicyRoles", std::move(roles)}};
  put_marker(output, found.next);
  return output;
}

}  // namespace

std::vector<Operation> policy_operations(Iam& iam) {
  return {iam_row(iam, "CreatePolicy", create),
          iam_row(iam, "GetPolicy", get),
          iam_row(iam, "ListPolicies", list),
          iam_row(iam, "DeletePolicy", remove),
          iam_row(iam, "CreatePolicyVersion", create_version),
          iam_row(iam, "GetPolicyVersion", get_version),
          iam_row(iam, "ListPolicyVersions", list_versions),
          iam_row(iam, "SetDefaultPolicyVersion", set_default),
          iam_row(iam, "DeletePolicyVersion", remove_version),
          iam_row(iam, "ListEntitiesForPolicy", list_entities)};
}

}  // namespace andon::api
