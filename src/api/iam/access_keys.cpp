// SPDX-License-Identifier: Apache-2.0
// Access keys of users, and of the account itself where it asks without a name.
#include <utility>

#include "api/iam/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::EntityKind;
using control::Iam;

constexpr std::int64_t kMostKeys = 2;

struct Owner {
  std::string principal;  // of access keys
  std::string name;       // as it is shown
};

Owner read_owner(const Iam& iam, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "UserName");
  const auto as_owner = [](const control::Entity& user) {
    return Owner{std::string(control::Principals::kUserPrefix) + user.id, user.name};
  };
  if (!name.empty()) return as_owner(iam.entities.require(EntityKind::user, name));
  const auto principal = iam.principals.find(context.caller.principal);
  if (principal && principal->kind == control::Principal::Kind::user) {
    return as_owner(principal->entity);
  }
  if (principal && principal->kind == control::Principal::Kind::account) {
    return {std::string(control::kOperatorPrincipal), "root"};
  }
  throw Error(ErrorCode::invalid_argument,
              "Must specify userName when calling with non-User credentials");
}

std::string_view status_of(const control::AccessKey& key) {
  return key.is_disabled ? "Inactive" : "Active";
}

json::value create(Iam& iam, const OperationContext& context) {
  const Owner owner = read_owner(iam, context);
  const control::AccessKey made = iam.keys.create_limited(owner.principal, kMostKeys);
  return json::object{{"AccessKey", json::object{{"UserName", owner.name},
                                                 {"AccessKeyId", made.id},
                                                 {"Status", status_of(made)},
                                                 {"SecretAccessKey", made.secret},
                                                 {"CreateDate", iam_time(made.created)}}}};
}

json::value list(Iam& iam, const OperationContext& context) {
  (void)read_iam_page(context.input);
  const Owner owner = read_owner(iam, context);
  json::array keys;
  for (const control::AccessKey& key : iam.keys.list_of(owner.principal)) {
    keys.push_back({{"UserName", owner.name},
                    {"AccessKeyId", key.id},
                    {"Status", status_of(key)},
                    {"CreateDate", iam_time(key.created)}});
  }
  return json::object{{"AccessKeyMetadata", std::move(keys)}, {"IsTruncated", false}};
}

json::value update(Iam& iam, const OperationContext& context) {
  const std::string status = word_or_empty(context.input, "Status", {"Active", "Inactive"});
  if (status.empty()) throw Error(ErrorCode::invalid_argument, "Status: is missing");
  iam.keys.set_disabled(read_owner(iam, context).principal,
                        required_text(context.input, "AccessKeyId"), status == "Inactive");
  return nullptr;
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.keys.remove(read_owner(iam, context).principal, required_text(context.input, "AccessKeyId"));
  return nullptr;
}

// A key that was used in the last half second may not have it yet.
json::value last_used(const Iam& iam, const control::AuditLog* audit,
                      const OperationContext& context) {
  const std::string id = required_text(context.input, "AccessKeyId");
  const auto key = iam.keys.find(id);
  const auto owner = key ? iam.principals.find(key->principal) : std::nullopt;
  if (!owner) {
    throw Error(ErrorCode::not_found, "The Access Key with id " + id + " cannot be found.");
  }
  const auto use = audit == nullptr ? std::nullopt : audit->last_use(id);
  json::object last{{"ServiceName", use ? use->service : "N/A"},
                    {"Region", use && !use->region.empty() ? use->region : "N/A"}};
  if (use) last["LastUsedDate"] = iam_time(use->time);
  json::object output{{"AccessKeyLastUsed", std::move(last)}};
  if (owner->kind == control::Principal::Kind::user) output["UserName"] = owner->name;
  return output;
}

}  // namespace

std::vector<Operation> access_key_operations(Iam& iam, const control::AuditLog* audit) {
  return {iam_row(iam, "CreateAccessKey", create), iam_row(iam, "ListAccessKeys", list),
          iam_row(iam, "UpdateAccessKey", update), iam_row(iam, "DeleteAccessKey", remove),
          iam_row(iam, "GetAccessKeyLastUsed", [audit](Iam& of, const OperationContext& context) {
            return last_used(of, audit, context);
          })};
}

}  // namespace andon::api
