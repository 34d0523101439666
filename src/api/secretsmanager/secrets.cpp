// SPDX-License-Identifier: Apache-2.0
// Secrets made, described, changed, deleted; their tags.
#include <chrono>
#include <limits>

#include "api/secretsmanager/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::secrets {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kLongestRecovery = 30;
constexpr std::int64_t kShortestRecovery = 7;

json::value create(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  refuse_other_key(input);
  return told(service.secrets.create({.name = *maybe_text(input, "Name"),
                                      .description = maybe_text(input, "Description").value_or(""),
                                      .value = read_value(input),
                                      .token = read_token(input),
                                      .tags = read_tag_list(input)}));
}

json::value update(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  refuse_other_key(input);
  return told(service.secrets.update(id_of(input), {.description = maybe_text(input, "Description"),
                                                    .value = read_value(input),
                                                    .token = read_token(input)}));
}

json::value remove(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto days = optional_number(input, "RecoveryWindowInDays");
  const bool at_once = flag(input, "ForceDeleteWithoutRecovery");
  if (at_once && days) {
    throw Error(ErrorCode::invalid_argument,
                "You can't use ForceDeleteWithoutRecovery in conjunction with "
                "RecoveryWindowInDays.");
  }
  if (days && (*days < kShortestRecovery || *days > kLongestRecovery)) {
    throw Error(ErrorCode::invalid_argument,
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
  }
  const auto removal = at_once
                           ? service.secrets.remove_now(id_of(input))
                           : service.secrets.remove(
                                 id_of(input), std::chrono::days(days.value_or(kLongestRecovery)));
  json::object output{{"Name", removal.name},
                      {"DeletionDate", base::to_epoch_seconds(removal.when)}};
  put_unless_empty(output, "ARN", removal.arn);
  return output;
}

json::value restore(const Service& service, const OperationContext& context) {
  return told(service.secrets.restore(id_of(context.input)));
}

// No secret has one here: that of others is refused when it is put.
json::value policy(const Service& service, const OperationContext& context) {
  const control::Secret secret = service.secrets.describe(id_of(context.input));
  return json::object{{"ARN", secret.arn}, {"Name", secret.name}};
}

json::value tag(const Service& service, const OperationContext& context) {
  service.secrets.tag(id_of(context.input), read_tag_list(context.input));
  return nullptr;
}

json::value untag(const Service& service, const OperationContext& context) {
  service.secrets.untag(id_of(context.input), text_list(context.input, "TagKeys"));
  return nullptr;
}

}  // namespace

std::vector<Operation> secret_rows(const Service& service) {
  const MemberRule id = id_rule();
  const MemberRule description = text("Description", 0, 2048);
  const MemberRule tags = list_rule("Tags", 0, 50);
  return {row(service, "CreateSecret",
              with_value({needed(text("Name", 1, 512)), description, tags}), create),
          row(service, "UpdateSecret", with_value({id, description}), update),
          row(service, "DeleteSecret",
              {id,
               number("RecoveryWindowInDays", std::numeric_limits<std::int64_t>::min(),
                      std::numeric_limits<std::int64_t>::max()),
               flag_rule("ForceDeleteWithoutRecovery")},
              remove),
          row(service, "RestoreSecret", {id}, restore),
          row(service, "GetResourcePolicy", {id}, policy),
          row(service, "TagResource", {id, needed(tags)}, tag),
          row(service, "UntagResource", {id, needed(list_rule("TagKeys", 0, 50))}, untag)};
}

}  // namespace andon::api::secrets
