// SPDX-License-Identifier: Apache-2.0
#include "api/iam/passwords.hpp"

#include <utility>

#include "api/iam/rows.hpp"
#include "api/table/named_refusals.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Iam;
using control::NextSignIn;
using control::PasswordOwner;
using control::PasswordPolicy;
using control::Passwords;

constexpr std::string_view kChange = "iam:ChangePassword";

base::JsonReader reader_of(const json::object& input) {
  return {input, "", {.texts = base::JsonReading::Texts::as_values, .separator = ": "}};
}

// A password is not shown in an error, whatever is wrong with it.
std::string required_password(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) {
    throw Error(ErrorCode::invalid_argument, std::string(key) + ": must be a text");
  }
  return std::string(value->get_string());
}

std::optional<control::Entity> calling_user(const Iam& iam, const OperationContext& context) {
  const auto principal = iam.principals.find(context.caller.principal);
  if (!principal || principal->kind != control::Principal::Kind::user) return std::nullopt;
  return principal->entity;
}

PasswordOwner read_owner(const Iam& iam, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "UserName");
  const auto user = name.empty()
                        ? calling_user(iam, context)
                        : std::optional(iam.entities.require(control::EntityKind::user, name));
  if (user) return {user->id, user->name};
  throw Error(ErrorCode::invalid_argument,
              "Must specify userName when calling with non-User credentials");
}

json::object describe(const PasswordOwner& owner, const control::LoginProfile& profile) {
  return {{"LoginProfile", json::object{{"UserName", owner.name},
                                        {"CreateDate", iam_time(profile.created)},
                                        {"PasswordResetRequired", profile.must_change}}}};
}

NextSignIn next_of(bool must_change) {
  return must_change ? NextSignIn::must_change : NextSignIn::as_usual;
}

json::value create(const Iam& iam, Passwords& passwords, const OperationContext& context) {
  const PasswordOwner owner = read_owner(iam, context);
  const auto made = passwords.create(owner, required_password(context.input, "Password"),
                                     next_of(flag(context.input, "PasswordResetRequired")));
  return describe(owner, made);
}

json::value get(const Iam& iam, Passwords& passwords, const OperationContext& context) {
  const PasswordOwner owner = read_owner(iam, context);
  return describe(owner, passwords.require(owner));
}

json::value update(const Iam& iam, Passwords& passwords, const OperationContext& context) {
  const PasswordOwner owner = read_owner(iam, context);
  std::optional<std::string> password;
  if (context.input.contains("Password")) password = required_password(context.input, "Password");
  std::optional<NextSignIn> next;
  if (context.input.contains("PasswordResetRequired")) {
    next = next_of(flag(context.input, "PasswordResetRequired"));
  }
  passwords.update(owner, password, next);
  return nullptr;
}

json::value remove(const Iam& iam, Passwords& passwords, const OperationContext& context) {
  passwords.remove(read_owner(iam, context));
  return nullptr;
}

// A policy allows it, or the account lets all its users; a denial wins over both.
void authorize_change(const Passwords& passwords, const Authorizer* authorizer,
                      const Caller& caller, const control::Entity& user) {
  const auto rules = passwords.policy();
  if (authorizer == nullptr) return;
  const control::Ruling ruling = authorizer->decide(caller, kChange, user.arn);
  const bool is_denied = ruling.decision.verdict == policy::Verdict::denied_explicitly;
  if (ruling.is_allowed() || (!is_denied && rules && rules->users_may_change)) return;
  throw ServiceError(
      403, "AccessDenied",
      authorizer->sentence(caller, kChange, user.arn, control::explain(ruling, kChange)));
}

json::value change(const Iam& iam, Passwords& passwords, const Authorizer* authorizer,
                   const OperationContext& context) {
  const auto user = calling_user(iam, context);
  if (!user) {
    throw ServiceError(400, "InvalidUserType",
                       "Only IAM Users can change their own password: the account and roles have "
                       "none");
  }
  authorize_change(passwords, authorizer, context.caller, *user);
  const PasswordOwner owner{user->id, user->name};
  const auto profile = passwords.require(owner);
  if (!passwords.check(user->id, {user->name, context.caller.source_ip},
                       required_password(context.input, "OldPassword"))) {
    throw ServiceError(403, "AccessDenied", "The old password was incorrect.");
  }
  if (passwords.standing_of(profile) == control::Passwords::Standing::too_old) {
    throw ServiceError(403, "AccessDenied",
                       "The password is too old: an administrator has to set a new one.");
  }
  passwords.change(owner, required_password(context.input, "NewPassword"));
  return nullptr;
}

json::value get_policy(const Iam& iam, Passwords& passwords, const OperationContext&) {
  const auto policy = passwords.policy();
  if (!policy) {
    throw Error(ErrorCode::not_found, "The Password Policy with domain name " +
                                          iam.entities.account() + " cannot be found.");
  }
  json::object described{{"MinimumPasswordLength", policy->least_length},
                         {"RequireSymbols", policy->wants_symbols},
                         {"RequireNumbers", policy->wants_numbers},
                         {"RequireUppercaseCharacters", policy->wants_upper_case},
                         {"RequireLowercaseCharacters", policy->wants_lower_case},
                         {"AllowUsersToChangePassword", policy->users_may_change},
                         {"ExpirePasswords", policy->longest_age.has_value()},
                         {"HardExpiry", policy->is_hard}};
  if (policy->longest_age) described["MaxPasswordAge"] = policy->longest_age->count();
  if (policy->remembered > 0) described["PasswordReusePrevention"] = policy->remembered;
  return json::object{{"PasswordPolicy", std::move(described)}};
}

// What is absent is as where there is none, as in AWS.
json::value update_policy(const Iam&, Passwords& passwords, const OperationContext& context) {
  const auto reader = reader_of(context.input);
  constexpr std::int64_t kMost = 1'000'000;
  const auto number = [&](std::string_view key, std::int64_t standard) {
    return static_cast<int>(reader.optional_integer(key, 0, kMost).value_or(standard));
  };
  PasswordPolicy policy;
  policy.least_length = number("MinimumPasswordLength", policy.least_length);
  policy.wants_symbols = flag(context.input, "RequireSymbols");
  policy.wants_numbers = flag(context.input, "RequireNumbers");
  policy.wants_upper_case = flag(context.input, "RequireUppercaseCharacters");
  policy.wants_lower_case = flag(context.input, "RequireLowercaseCharacters");
  policy.users_may_change = flag(context.input, "AllowUsersToChangePassword");
  policy.is_hard = flag(context.input, "HardExpiry");
  if (const int days = number("MaxPasswordAge", 0); days > 0) {
    policy.longest_age = std::chrono::days(days);
  }
  policy.remembered = number("PasswordReusePrevention", 0);
  passwords.set_policy(policy);
  return nullptr;
}

json::value remove_policy(const Iam&, Passwords& passwords, const OperationContext&) {
  passwords.remove_policy();
  return nullptr;
}

}  // namespace

std::vector<Operation> password_operations(Iam& iam, Passwords& passwords,
                                           const Authorizer* authorizer) {
  // PasswordPolicyViolation is an error of its own.
  const auto row = [&](std::string_view name, auto work) {
    return iam_row(
        iam, name,
        [work, &passwords](const Iam& of, const OperationContext& context) -> json::value {
          return told_by_name([&]() -> json::value { return work(of, passwords, context); });
        });
  };
  return {row("CreateLoginProfile", create),
          row("GetLoginProfile", get),
          row("UpdateLoginProfile", update),
          row("DeleteLoginProfile", remove),
          row("ChangePassword",
              [authorizer](const Iam& of, Passwords& all, const OperationContext& context) {
                return change(of, all, authorizer, context);
              }),
          row("GetAccountPasswordPolicy", get_policy),
          row("UpdateAccountPasswordPolicy", update_policy),
          row("DeleteAccountPasswordPolicy", remove_policy)};
}

}  // namespace andon::api
