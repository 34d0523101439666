// SPDX-License-Identifier: Apache-2.0
#include "api/sts/sts.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "api/sts/session.hpp"
#include "api/table/members.hpp"
#include "base/json/json.hpp"
#include "policy/decision/decision.hpp"

namespace andon::api {
namespace {

using control::EntityKind;
using control::Iam;
using policy::Verdict;

constexpr std::string_view kAssume = "sts:AssumeRole";
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kHalfDay = 43'200;
constexpr std::int64_t kDayAndAHalf = 129'600;

control::Principal require_principal(const Iam& iam, const Caller& caller) {
  auto principal = iam.principals.find(caller.principal);
  if (!principal) {
    throw ServiceError(403, "AccessDenied", caller.principal + " is no user or role");
  }
  return *std::move(principal);
}

json::value get_caller_identity(const Iam& iam, const OperationContext& context) {
  const control::Principal principal = require_principal(iam, context.caller);
  return json::object{
      {"UserId", principal.user_id}, {"Account", iam.entities.account()}, {"Arn", principal.arn}};
}

json::value get_session_token(Iam& iam, const OperationContext& context) {
  const control::Principal principal = require_principal(iam, context.caller);
  if (context.caller.token_issued) {
    throw ServiceError(403, "AccessDenied", "Cannot call GetSessionToken with session credentials");
  }
  const bool is_account = principal.kind == control::Principal::Kind::account;
  const auto key =
      iam.keys.create_session(context.caller.principal,
                              read_duration(context.input, is_account ? kHour : kHalfDay,
                                            is_account ? kHour : kDayAndAHalf),
                              {});
  return json::object{{"Credentials", credentials_of(key)}};
}

// The role's trust policy names the caller, or the account; then the caller's policies decide, too.
void authorize(const Iam& iam, const Authorizer& authorizer, const Caller& caller,
               const json::object& input, const std::optional<control::Entity>& role,
               const std::string& role_arn) {
  const control::Principal principal = require_principal(iam, caller);
  const auto refuse = [&](const std::string& because) {
    throw ServiceError(403, "AccessDenied",
                       authorizer.sentence(caller, kAssume, role_arn, because));
  };
  policy::Context keys;
  keys.set("sts:rolesessionname", text_or_empty(input, "RoleSessionName"));
  if (const std::string id = text_or_empty(input, "ExternalId"); !id.empty()) {
    keys.set("sts:externalid", id);
  }
  const control::Ruling own = authorizer.decide(caller, kAssume, role_arn, keys);
  if (own.decision.verdict == Verdict::denied_explicitly ||
      (own.by == control::Ruling::By::session && !own.is_allowed())) {
    refuse(control::explain(own, kAssume));
  }
  const std::string no_trust = "because no resource-based policy allows the sts:AssumeRole action";
  if (!role) return refuse(no_trust);
  policy::Context all = authorizer.keys_of(caller);
  iam.principals.add_keys(caller.principal, all);
  all.add(keys);
  const bool is_session = principal.kind == control::Principal::Kind::role_session;
  const auto trust =
      policy::decide(policy::Document::parse(role->trust, policy::DocumentKind::trust),
                     {.arn = principal.arn,
                      .role_arn = is_session ? principal.entity.arn : std::string(),
                      .account = iam.entities.account()},
                     {.action = kAssume, .resource = role_arn, .context = all});
  if (trust.verdict == Verdict::denied_explicitly) {
    return refuse("with an explicit deny in a resource-based policy");
  }
  if (trust.verdict != Verdict::allowed) return refuse(no_trust);
  if (trust.is_delegated && !own.is_allowed()) refuse(control::explain(own, kAssume));
}

json::value assume_role(Iam& iam, const Authorizer& authorizer, const OperationContext& context) {
  const std::string arn = required_text(context.input, "RoleArn");
  const std::string session = read_session_name(context.input);
  const auto role = iam.entities.find_by_arn(EntityKind::role, arn);
  authorize(iam, authorizer, context.caller, context.input, role, arn);
  // A session that begins another one has an hour, as AWS has it.
  const bool is_chained = context.caller.token_issued.has_value() &&
                          context.caller.principal.starts_with(control::Principals::kRolePrefix);
  return begin_session(iam, context.input, *role, session,
                       is_chained ? kHour : role->longest_session.count());
}

template <typename Work>
Operation row(std::string_view name, Work work) {
  return {"sts", name, Protocol::query, "", "", 200, work};
}

}  // namespace

std::vector<Operation> sts_operations(Iam& iam, const Authorizer& authorizer) {
  return {
      row("GetCallerIdentity",
          [&iam](const OperationContext& context) { return get_caller_identity(iam, context); }),
      row("GetSessionToken",
          [&iam](const OperationContext& context) { return get_session_token(iam, context); }),
      row("AssumeRole",
          [&iam, &authorizer](const OperationContext& context) {
            return assume_role(iam, authorizer, context);
          }),
      row("GetAccessKeyInfo", [&iam](const OperationContext& context) -> json::value {
        (void)required_text(context.input, "AccessKeyId");
        return json::object{{"Account", iam.entities.account()}};
      })};
}

Caller assume_task_role(const Iam& iam, const Authorizer& authorizer, const Caller& caller,
                        const std::string& role_arn, const std::string& session) {
  const std::string name = control::RoleSessions::session_name_of(session);
  const auto role = iam.entities.find_by_arn(EntityKind::role, role_arn);
  authorize(iam, authorizer, caller, {{"RoleSessionName", name}}, role, role_arn);
  Caller taken = caller;
  taken.principal = std::string(control::Principals::kRolePrefix) + role->id + "/" + name;
  return taken;
}

}  // namespace andon::api
