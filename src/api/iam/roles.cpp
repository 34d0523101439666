// SPDX-License-Identifier: Apache-2.0
// Roles.
#include <utility>

#include "api/iam/rows.hpp"

namespace andon::api {
namespace {

using control::EntityKind;
using control::Iam;
using policy::DocumentKind;

constexpr std::int64_t kHour = 3600;

std::string name_of(const OperationContext& context) {
  return required_text(context.input, "RoleName");
}

json::object describe(const Iam& iam, const control::Entity& role) {
  json::object output = describe_entity(role);
  const auto tags = iam.entities.tags(EntityKind::role, role.name);
  if (!tags.empty()) output["Tags"] = tag_list(tags);
  return output;
}

json::value create(Iam& iam, const OperationContext& context) {
  const std::chrono::seconds longest(
      optional_number(context.input, "MaxSessionDuration").value_or(kHour));
  const auto made = iam.entities.create(
      {.kind = EntityKind::role,
       .name = name_of(context),
       .path = path_or_root(context.input, "Path"),
       .description = text_or_empty(context.input, "Description"),
       .trust = read_document(context.input, "AssumeRolePolicyDocument", DocumentKind::trust),
       .longest_session = longest},
      read_tag_list(context.input));
  return json::object{{"Role", describe(iam, made)}};
}

json::value get(Iam& iam, const OperationContext& context) {
  return json::object{
      {"Role", describe(iam, iam.entities.require(EntityKind::role, name_of(context)))}};
}

json::value list(Iam& iam, const OperationContext& context) {
  return entity_page("Roles",
                     iam.entities.list(EntityKind::role, path_or_root(context.input, "PathPrefix"),
                                       read_iam_page(context.input)));
}

void change_role(Iam& iam, const OperationContext& context) {
  control::EntityUpdate change;
  if (context.input.contains("Description")) {
    change.description = text_or_empty(context.input, "Description");
  }
  if (const auto seconds = optional_number(context.input, "MaxSessionDuration")) {
    change.longest_session = std::chrono::seconds(*seconds);
  }
  iam.entities.update(EntityKind::role, name_of(context), change);
}

json::value update(Iam& iam, const OperationContext& context) {
  change_role(iam, context);
  return json::object{};
}

json::value update_description(Iam& iam, const OperationContext& context) {
  change_role(iam, context);
  return get(iam, context);
}

json::value update_trust(Iam& iam, const OperationContext& context) {
  control::EntityUpdate change;
  change.trust = read_document(context.input, "PolicyDocument", DocumentKind::trust);
  iam.entities.update(EntityKind::role, name_of(context), change);
  return nullptr;
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.entities.remove(EntityKind::role, name_of(context));
  return nullptr;
}

json::value tag(Iam& iam, const OperationContext& context) {
  iam.entities.tag(EntityKind::role, name_of(context), read_tag_list(context.input));
  return nullptr;
}

json::value untag(Iam& iam, const OperationContext& context) {
  iam.entities.untag(EntityKind::role, name_of(context), text_list(context.input, "TagKeys"));
  return nullptr;
}

json::value list_tags(Iam& iam, const OperationContext& context) {
  (void)read_iam_page(context.input);
  return json::object{{"Tags", tag_list(iam.entities.tags(EntityKind::role, name_of(context)))},
                      {"IsTruncated", false}};
}

// There are none; clients look before they delete a role.
json::value list_profiles(Iam& iam, const OperationContext& context) {
  (void)read_iam_page(context.input);
  (void)iam.entities.require(EntityKind::role, name_of(context));
  return json::object{{"InstanceProfiles", json::array{}}, {"IsTruncated", false}};
}

}  // namespace

std::vector<Operation> role_operations(Iam& iam) {
  return {iam_row(iam, "CreateRole", create),
          iam_row(iam, "GetRole", get),
          iam_row(iam, "ListRoles", list),
          iam_row(iam, "UpdateRole", update),
          iam_row(iam, "UpdateRoleDescription", update_description),
          iam_row(iam, "UpdateAssumeRolePolicy", update_trust),
          iam_row(iam, "DeleteRole", remove),
          iam_row(iam, "TagRole", tag),
          iam_row(iam, "UntagRole", untag),
          iam_row(iam, "ListRoleTags", list_tags),
          iam_row(iam, "ListInstanceProfilesForRole", list_profiles)};
}

}  // namespace andon::api
