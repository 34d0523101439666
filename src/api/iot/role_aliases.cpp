// SPDX-License-Identifier: Apache-2.0
// Role aliases. Who makes one, or gives it another role, passes that role (iam:PassRole).
#include "api/iot/role_aliases.hpp"

#include <memory>
#include <utility>

#include "api/table/internal_call.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "policy/decision/decision.hpp"

namespace andon::api {
namespace {

using control::RoleAlias;
using control::RoleAliases;
namespace json = base::json;

constexpr std::int64_t kHour = 3600;
constexpr std::string_view kAssume = "iot:AssumeRoleWithCertificate";

double seconds(base::Timestamp time) {
  constexpr double kMillis = 1000;
  return static_cast<double>(base::to_epoch_millis(time)) / kMillis;
}

std::string name_of(const OperationContext& context) {
  return required_text(context.input, "roleAlias");
}

json::object named(const fleet::Arns& arns, const std::string& name) {
  return {{"roleAlias", name}, {"roleAliasArn", role_alias_arn(arns, name)}};
}

json::object described(const fleet::Arns& arns, const RoleAlias& alias) {
  json::object told = named(arns, alias.name);
  told["roleArn"] = alias.role_arn;
  told["owner"] = arns.account();
  told["credentialDurationSeconds"] = alias.duration.count();
  told["creationDate"] = seconds(alias.created);
  told["lastModifiedDate"] = seconds(alias.updated);
  return told;
}

json::value list(const RoleAliases& aliases, const OperationContext& context) {
  constexpr std::int64_t kStandard = 25;
  constexpr std::int64_t kMost = 250;
  const std::int64_t size = optional_number(context.input, "pageSize").value_or(kStandard);
  if (size < 1 || size > kMost) {
    throw base::Error(base::ErrorCode::invalid_argument, "pageSize: must be 1 to 250");
  }
  control::PageRequest page{.limit = static_cast<std::size_t>(size), .after = {}};
  if (const std::string marker = text_or_empty(context.input, "marker"); !marker.empty()) {
    const auto after = from_page_token(marker);
    if (!after) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "marker: is not one that this operation gave");
    }
    page.after = *after;
  }
  const auto found =
      aliases.list(page, flag(context.input, "isAscendingOrder") ? RoleAliases::Order::ascending
                                                                 : RoleAliases::Order::descending);
  json::object output{{"roleAliases", to_array(found.items)}};
  if (found.next) output["nextMarker"] = to_page_token(*found.next);
  return output;
}

// What the IoT policies that count for the certificate say to its taking the alias.
policy::Decision policies_say(const control::ControlPlane& control, const std::string& alias,
                              const std::string& thing, const std::string& certificate) {
  const auto holder = control.rights.at_broker(certificate);
  if (!holder || holder->policies.empty()) return {};
  std::vector<std::shared_ptr<const policy::NamedPolicy>> policies;
  for (const std::string& name : holder->policies) {
    policies.push_back(std::make_shared<const policy::NamedPolicy>(policy::NamedPolicy{
        .name = name,
        .source = {},
        .document = std::make_shared<const policy::Document>(policy::Document::parse(
            control.iot_policies.require(name).document, policy::DocumentKind::identity))}));
  }
  policy::Context context;
  for (const auto& [key, value] : holder->facts) context.set(key, value);
  context.set("iot:ClientId", thing);
  const std::string resource = role_alias_arn(control.arns, alias);
  return policy::PolicySet(std::move(policies))
      .decide({.action = kAssume, .resource = resource, .context = context});
}

}  // namespace

std::string role_alias_arn(const fleet::Arns& arns, const std::string& name) {
  return "arn:aws:iot:" + arns.region() + ":" + arns.account() + ":rolealias/" + name;
}

std::optional<control::AccessKey> take_role_alias(const control::Iam& iam,
                                                  const control::ControlPlane& control,
                                                  const std::string& alias,
                                                  const std::string& thing,
                                                  const std::string& certificate) {
  const auto found = iam.role_aliases.find(alias);
  if (!found) return std::nullopt;
  const policy::Decision said = policies_say(control, alias, thing, certificate);
  if (said.verdict == policy::Verdict::denied_explicitly) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "\"" + thing + "\" may not take role alias '" + alias + "': its IoT policy " +
                          said.policy->name + " denies " + std::string(kAssume));
  }
  if (!said.is_allowed() && !iam.role_aliases.may_take(alias, thing)) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "\"" + thing + "\" may not take role alias '" + alias +
                          "': give it (andon device add " + thing + " --role-alias " + alias +
                          "), or allow " + std::string(kAssume) +
                          " on it in an IoT policy of the certificate");
  }
  // Policies know the device by the session's name (credentials-iot:ThingName).
  if (control::RoleSessions::session_name_of(thing) != thing) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "\"" + thing +
                          "\" has a name that no session of a role can have (more than "
                          "64 characters, or a colon): it can take no role alias");
  }
  return iam.roles.credentials({.role_arn = found->role_arn,
                                .session = thing,
                                .service = control::kDevicesService,
                                .source_arn = role_alias_arn(control.arns, alias)},
                               found->duration, {}, certificate);
}

std::vector<Operation> role_alias_operations(control::RoleAliases& aliases, const fleet::Arns& arns,
                                             const Authorizer* authorizer) {
  const auto row = [](std::string_view name, std::string_view method, std::string_view path,
                      std::function<json::value(const OperationContext&)> work) {
    return Operation{"iot", name, Protocol::rest_json, method, path, 200, std::move(work)};
  };
  const auto pass = [authorizer, &arns](const OperationContext& context, const std::string& role) {
    require_pass_role(authorizer, context.caller, Protocol::rest_json, role,
                      control::kDevicesService, role_alias_arn(arns, name_of(context)));
  };
  constexpr std::string_view kOne = "/role-aliases/{roleAlias}";
  return {
      row("CreateRoleAlias", "POST", kOne,
          [&aliases, &arns, pass](const OperationContext& context) -> json::value {
            const std::string role = required_text(context.input, "roleArn");
            pass(context, role);
            const auto duration =
                optional_number(context.input, "credentialDurationSeconds").value_or(kHour);
            return named(
                arns, aliases.create(name_of(context), role, std::chrono::seconds(duration)).name);
          }),
      row("DescribeRoleAlias", "GET", kOne,
          [&aliases, &arns](const OperationContext& context) -> json::value {
            return json::object{
                {"roleAliasDescription", described(arns, aliases.require(name_of(context)))}};
          }),
      row("UpdateRoleAlias", "PUT", kOne,
          [&aliases, &arns, pass](const OperationContext& context) -> json::value {
            const std::string role = text_or_empty(context.input, "roleArn");
            if (!role.empty()) pass(context, role);
            std::optional<std::chrono::seconds> duration;
            if (const auto given = optional_number(context.input, "credentialDurationSeconds")) {
              duration = std::chrono::seconds(*given);
            }
            aliases.update(name_of(context), role.empty() ? std::nullopt : std::optional(role),
                           duration);
            return named(arns, name_of(context));
          }),
      row("DeleteRoleAlias", "DELETE", kOne,
          [&aliases](const OperationContext& context) -> json::value {
            aliases.remove(name_of(context));
            return json::object{};
          }),
      row("ListRoleAliases", "GET", "/role-aliases",
          [&aliases](const OperationContext& context) { return list(aliases, context); })};
}

}  // namespace andon::api
