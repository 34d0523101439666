// SPDX-License-Identifier: Apache-2.0
// Groups and who is in them.
#include <utility>

#include "api/iam/rows.hpp"

namespace andon::api {
namespace {

using control::EntityKind;
using control::Iam;

json::value create(Iam& iam, const OperationContext& context) {
  const auto made = iam.entities.create({.kind = EntityKind::group,
                                         .name = required_text(context.input, "GroupName"),
                                         .path = path_or_root(context.input, "Path")});
  return json::object{{"Group", describe_entity(made)}};
}

json::value get(Iam& iam, const OperationContext& context) {
  const std::string name = required_text(context.input, "GroupName");
  const auto group = iam.entities.require(EntityKind::group, name);
  json::object output =
      entity_page("Users", iam.entities.members(name, read_iam_page(context.input)));
  output["Group"] = describe_entity(group);
  return output;
}

json::value list(Iam& iam, const OperationContext& context) {
  return entity_page("Groups",
                     iam.entities.list(EntityKind::group, path_or_root(context.input, "PathPrefix"),
                                       read_iam_page(context.input)));
}

json::value list_of_user(Iam& iam, const OperationContext& context) {
  return entity_page("Groups", iam.entities.groups_of(required_text(context.input, "UserName"),
                                                      read_iam_page(context.input)));
}

json::value update(Iam& iam, const OperationContext& context) {
  rename_entity(iam, EntityKind::group, context.input);
  return nullptr;
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.entities.remove(EntityKind::group, required_text(context.input, "GroupName"));
  return nullptr;
}

json::value add(Iam& iam, const OperationContext& context) {
  iam.entities.add_member(required_text(context.input, "GroupName"),
                          required_text(context.input, "UserName"));
  return nullptr;
}

json::value take_out(Iam& iam, const OperationContext& context) {
  iam.entities.remove_member(required_text(context.input, "GroupName"),
                             required_text(context.input, "UserName"));
  return nullptr;
}

}  // namespace

std::vector<Operation> group_operations(Iam& iam) {
  return {iam_row(iam, "CreateGroup", create),
          iam_row(iam, "GetGroup", get),
          iam_row(iam, "ListGroups", list),
          iam_row(iam, "UpdateGroup", update),
          iam_row(iam, "DeleteGroup", remove),
          iam_row(iam, "AddUserToGroup", add),
          iam_row(iam, "RemoveUserFromGroup", take_out),
          iam_row(iam, "ListGroupsForUser", list_of_user)};
}

}  // namespace andon::api
