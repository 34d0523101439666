// SPDX-License-Identifier: Apache-2.0
// Users.
#include <utility>

#include "api/iam/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using control::EntityKind;
using control::Iam;

json::object with_tags(const Iam& iam, const control::Entity& entity) {
  json::object output = describe_entity(entity);
  const auto tags = iam.entities.tags(entity.kind, entity.name);
  if (!tags.empty()) output["Tags"] = tag_list(tags);
  return output;
}

json::value create(Iam& iam, const OperationContext& context) {
  const auto made = iam.entities.create({.kind = EntityKind::user,
                                         .name = required_text(context.input, "UserName"),
                                         .path = path_or_root(context.input, "Path")},
                                        read_tag_list(context.input));
  return json::object{{"User", with_tags(iam, made)}};
}

// Without a name: who asks.
json::value get(Iam& iam, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "UserName");
  if (!name.empty()) {
    return json::object{{"User", with_tags(iam, iam.entities.require(EntityKind::user, name))}};
  }
  const auto principal = iam.principals.find(context.caller.principal);
  if (principal && principal->kind == control::Principal::Kind::account) {
    return json::object{{"User", json::object{{"Path", "/"},
                                              {"UserName", "root"},
                                              {"UserId", principal->user_id},
                                              {"Arn", principal->arn},
                                              {"CreateDate", iam_time(base::Timestamp{})}}}};
  }
  if (!principal || principal->kind != control::Principal::Kind::user) {
    throw ServiceError(400, "ValidationError",
                       "Must specify userName when calling with non-User credentials");
  }
  return json::object{{"User", with_tags(iam, principal->entity)}};
}

json::value list(Iam& iam, const OperationContext& context) {
  return entity_page("Users",
                     iam.entities.list(EntityKind::user, path_or_root(context.input, "PathPrefix"),
                                       read_iam_page(context.input)));
}

json::value update(Iam& iam, const OperationContext& context) {
  rename_entity(iam, EntityKind::user, context.input);
  return nullptr;
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.entities.remove(EntityKind::user, required_text(context.input, "UserName"));
  return nullptr;
}

}  // namespace

std::vector<Operation> user_operations(Iam& iam) {
  const auto tag = [](Iam& of, const OperationContext& context) -> json::value {
    of.entities.tag(EntityKind::user, required_text(context.input, "UserName"),
                    read_tag_list(context.input));
    return nullptr;
  };
  const auto untag = [](Iam& of, const OperationContext& context) -> json::value {
    of.entities.untag(EntityKind::user, required_text(context.input, "UserName"),
                      text_list(context.input, "TagKeys"));
    return nullptr;
  };
  const auto list_tags = [](Iam& of, const OperationContext& context) -> json::value {
    (void)read_iam_page(context.input);
    return json::object{{"Tags", tag_list(of.entities.tags(
                                     EntityKind::user, required_text(context.input, "UserName")))},
                        {"IsTruncated", false}};
  };
  return {iam_row(iam, "CreateUser", create), iam_row(iam, "GetUser", get),
          iam_row(iam, "ListUsers", list),    iam_row(iam, "UpdateUser", update),
          iam_row(iam, "DeleteUser", remove), iam_row(iam, "TagUser", tag),
          iam_row(iam, "UntagUser", untag),   iam_row(iam, "ListUserTags", list_tags)};
}

}  // namespace andon::api
