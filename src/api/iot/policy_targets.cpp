// SPDX-License-Identifier: Apache-2.0
// What IoT policies are attached to, by the present names and by the old ones (…PrincipalPolicy),
// and which count for whom.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;
using control::PolicyTarget;
using Reach = control::IotPolicies::Reach;

constexpr std::string_view kPrincipalHeader = "x-amzn-iot-principal";
constexpr std::string_view kPolicyHeader = "x-amzn-iot-policy";

// Of the old operations: groups are no principals.
PolicyTarget read_principal(const json::object& input) {
  PolicyTarget target = control::read_policy_target(required_text(input, "principal"));
  if (target.kind == PolicyTarget::Kind::thing_group) {
    throw Error(ErrorCode::invalid_argument,
                "principal: a thing group is none; use AttachPolicy and ListAttachedPolicies");
  }
  return target;
}

void attach_to(control::ControlPlane& control, const json::object& input,
               const PolicyTarget& target) {
  naming(ErrorCode::resource_exhausted, 410, "LimitExceededException",
         [&] { control.iot_policies.attach(required_text(input, "policyName"), target); });
}

json::value attach(control::ControlPlane& control, const OperationContext& context) {
  attach_to(control, context.input,
            control::read_policy_target(required_text(context.input, "target")));
  return json::object{};
}

json::value detach(control::ControlPlane& control, const OperationContext& context) {
  control.iot_policies.detach(required_text(context.input, "policyName"),
                              control::read_policy_target(required_text(context.input, "target")));
  return json::object{};
}

json::value attach_principal(control::ControlPlane& control, const OperationContext& context) {
  attach_to(control, context.input, read_principal(context.input));
  return json::object{};
}

json::value detach_principal(control::ControlPlane& control, const OperationContext& context) {
  control.iot_policies.detach(required_text(context.input, "policyName"),
                              read_principal(context.input));
  return json::object{};
}

json::value list_attached(const control::ControlPlane& control, const OperationContext& context) {
  return policies_page(control,
                       control.iot_policies.attached(
                           control::read_policy_target(required_text(context.input, "target")),
                           flag(context.input, "recursive") ? Reach::with_parents : Reach::itself,
                           read_marker_page(context.input)));
}

json::value list_of_principal(const control::ControlPlane& control,
                              const OperationContext& context) {
  return policies_page(control,
                       control.iot_policies.attached(read_principal(context.input), Reach::itself,
                                                     read_marker_page(context.input)));
}

json::object targets_as(const control::ControlPlane& control, const OperationContext& context,
                        std::string_view member, const std::string& prefix) {
  const auto found = control.iot_policies.targets(required_text(context.input, "policyName"),
                                                  prefix, read_marker_page(context.input));
  json::array targets;
  for (const std::string& key : found.items) targets.emplace_back(control.arns.target(key));
  json::object output{{member, std::move(targets)}};
  put_next_marker(output, found.next);
  return output;
}

json::value list_targets(const control::ControlPlane& control, const OperationContext& context) {
  return targets_as(control, context, "targets", "");
}

json::value list_principals(const control::ControlPlane& control, const OperationContext& context) {
  return targets_as(control, context, "principals", "cert/");
}

json::value effective(const control::ControlPlane& control, const OperationContext& context) {
  const std::string principal = text_or_empty(context.input, "principal");
  std::string thing = text_or_empty(context.input, "thingName");
  if (principal.empty() && thing.empty()) {
    throw Error(ErrorCode::invalid_argument, "principal: is missing, and so is thingName");
  }
  std::string key;
  if (!principal.empty()) {
    const PolicyTarget target = read_principal(context.input);
    key = target.key();
    if (target.kind == PolicyTarget::Kind::certificate) {
      const auto certificate = control.certificates.find(target.name);
      if (!certificate) {
        throw Error(ErrorCode::not_found, "there is no certificate " + target.name);
      }
      if (thing.empty()) thing = certificate->thing;
    }
  }
  if (!thing.empty() && !control.things.find(thing)) {
    throw Error(ErrorCode::not_found, "there is no thing \"" + thing + "\"");
  }
  json::array policies;
  for (const auto& policy : control.iot_policies.effective(key, thing)) {
    policies.emplace_back(json::object{{"policyName", policy.name},
                                       {"policyArn", policy.arn},
                                       {"policyDocument", policy.document}});
  }
  return json::object{{"effectivePolicies", std::move(policies)}};
}

Operation with_header(Operation row, std::string_view header, std::string_view member) {
  row.headers = {{header, member}};
  return row;
}

}  // namespace

std::vector<Operation> policy_target_operations(control::ControlPlane& control) {
  constexpr std::string_view kTarget = "/target-policies/{policyName}";
  constexpr std::string_view kPrincipal = "/principal-policies/{policyName}";
  const auto of_principal = [&](std::string_view name, std::string_view method,
                                std::string_view path, auto function) {
    return with_header(iot_row(control, name, method, path, function), kPrincipalHeader,
                       "principal");
  };
  return {
      iot_row(control, "AttachPolicy", "PUT", kTarget, attach),
      iot_row(control, "DetachPolicy", "POST", kTarget, detach),
      of_principal("AttachPrincipalPolicy", "PUT", kPrincipal, attach_principal),
      of_principal("DetachPrincipalPolicy", "DELETE", kPrincipal, detach_principal),
      iot_row(control, "ListAttachedPolicies", "POST", "/attached-policies/{target}",
              list_attached),
      iot_row(control, "ListTargetsForPolicy", "POST", "/policy-targets/{policyName}",
              list_targets),
      of_principal("ListPrincipalPolicies", "GET", "/principal-policies", list_of_principal),
      with_header(
          iot_row(control, "ListPolicyPrincipals", "GET", "/policy-principals", list_principals),
          kPolicyHeader, "policyName"),
      iot_row(control, "GetEffectivePolicies", "POST", "/effective-policies", effective),
  };
}

}  // namespace andon::api
