// SPDX-License-Identifier: Apache-2.0
// IoT policies and their versions, as AWS IoT has them.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;
using Standing = control::VersionStanding;

constexpr const char* kMalformed = "MalformedPolicyException";

std::string read_name(const json::object& input) {
  return required_text(input, "policyName");
}

std::int64_t read_version(const json::object& input) {
  const std::string text = required_text(input, "policyVersionId");
  const auto version = base::parse_int64(text);
  if (!version || *version < 1) {
    throw Error(ErrorCode::invalid_argument, "policyVersionId: must be a number from 1");
  }
  return *version;
}

json::value create(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = read_name(context.input);
  control::check_iot_policy_name(name);
  const std::string document = required_text(context.input, "policyDocument");
  naming(ErrorCode::invalid_argument, 400, kMalformed,
         [&] { control::check_iot_policy_document(document); });
  const auto policy = naming(ErrorCode::resource_exhausted, 410, "LimitExceededException",
                             [&] { return control.iot_policies.create(name, document); });
  return json::object{{"policyName", policy.name},
                      {"policyArn", policy.arn},
                      {"policyDocument", policy.document},
                      {"policyVersionId", std::to_string(policy.default_version)}};
}

json::value get(const control::ControlPlane& control, const OperationContext& context) {
  const auto policy = control.iot_policies.require(read_name(context.input));
  return json::object{{"policyName", policy.name},
                      {"policyArn", policy.arn},
                      {"policyDocument", policy.document},
                      {"defaultVersionId", std::to_string(policy.default_version)},
                      {"creationDate", base::to_epoch_seconds(policy.created)},
                      {"lastModifiedDate", base::to_epoch_seconds(policy.updated)}};
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  using Order = control::IotPolicies::Order;
  const auto found = control.iot_policies.list(
      flag(context.input, "isAscendingOrder") ? Order::ascending : Order::descending,
      read_marker_page(context.input));
  return policies_page(control, found);
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  naming(ErrorCode::conflict, 409, "DeleteConflictException",
         [&] { control.iot_policies.remove(read_name(context.input)); });
  return json::object{};
}

json::value create_version(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = read_name(context.input);
  const std::string document = required_text(context.input, "policyDocument");
  naming(ErrorCode::invalid_argument, 400, kMalformed,
         [&] { control::check_iot_policy_document(document); });
  const auto made =
      naming(ErrorCode::resource_exhausted, 409, "VersionsLimitExceededException", [&] {
        return control.iot_policies.add_version(
            name, document,
            flag(context.input, "setAsDefault") ? Standing::is_default : Standing::is_other);
      });
  return json::object{{"policyArn", control.iot_policies.arn(name)},
                      {"policyDocument", made.document},
                      {"policyVersionId", std::to_string(made.version)},
                      {"isDefaultVersion", made.is_default}};
}

json::value get_version(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = read_name(context.input);
  const auto found = control.iot_policies.version(name, read_version(context.input));
  return json::object{{"policyArn", control.iot_policies.arn(name)},
                      {"policyName", name},
                      {"policyDocument", found.document},
                      {"policyVersionId", std::to_string(found.version)},
                      {"isDefaultVersion", found.is_default},
                      {"creationDate", base::to_epoch_seconds(found.created)},
                      {"lastModifiedDate", base::to_epoch_seconds(found.created)}};
}

json::value list_versions(const control::ControlPlane& control, const OperationContext& context) {
  json::array versions;
  for (const auto& version : control.iot_policies.versions(read_name(context.input))) {
    versions.emplace_back(json::object{{"versionId", std::to_string(version.version)},
                                       {"isDefaultVersion", version.is_default},
                                       {"createDate", base::to_epoch_seconds(version.created)}});
  }
  return json::object{{"policyVersions", std::move(versions)}};
}

json::value remove_version(control::ControlPlane& control, const OperationContext& context) {
  naming(ErrorCode::conflict, 409, "DeleteConflictException", [&] {
    control.iot_policies.remove_version(read_name(context.input), read_version(context.input));
  });
  return json::object{};
}

json::value set_default(control::ControlPlane& control, const OperationContext& context) {
  control.iot_policies.set_default_version(read_name(context.input), read_version(context.input));
  return json::object{};
}

}  // namespace

json::object policies_page(const control::ControlPlane& control,
                           const control::Page<std::string>& names) {
  json::array policies;
  for (const std::string& name : names.items) {
    policies.emplace_back(
        json::object{{"policyName", name}, {"policyArn", control.iot_policies.arn(name)}});
  }
  json::object output{{"policies", std::move(policies)}};
  put_next_marker(output, names.next);
  return output;
}

std::vector<Operation> policy_operations(control::ControlPlane& control) {
  constexpr std::string_view kPolicy = "/policies/{policyName}";
  constexpr std::string_view kVersions = "/policies/{policyName}/version";
  constexpr std::string_view kVersion = "/policies/{policyName}/version/{policyVersionId}";
  return {
      iot_row(control, "CreatePolicy", "POST", kPolicy, create),
      iot_row(control, "GetPolicy", "GET", kPolicy, get),
      iot_row(control, "ListPolicies", "GET", "/policies", list),
      iot_row(control, "DeletePolicy", "DELETE", kPolicy, remove),
      iot_row(control, "CreatePolicyVersion", "POST", kVersions, create_version),
      iot_row(control, "GetPolicyVersion", "GET", kVersion, get_version),
      iot_row(control, "ListPolicyVersions", "GET", kVersions, list_versions),
      iot_row(control, "DeletePolicyVersion", "DELETE", kVersion, remove_version),
      iot_row(control, "SetDefaultPolicyVersion", "PATCH", kVersion, set_default),
  };
}

}  // namespace andon::api
