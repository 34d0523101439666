// SPDX-License-Identifier: Apache-2.0
#include "api/iot/provisioning.hpp"

#include <future>
#include <memory>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "control/iam/types.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::ProvisioningHook;
using control::ProvisioningTemplate;
using control::ProvisioningTemplates;
namespace json = base::json;

constexpr PageLimits kPages{100, 250};
constexpr std::string_view kOne = "/provisioning-templates/{templateName}";
constexpr std::string_view kVersions = "/provisioning-templates/{templateName}/versions";
constexpr std::string_view kVersion = "/provisioning-templates/{templateName}/versions/{versionId}";
constexpr std::string_view kIotService = "iot.amazonaws.com";
constexpr std::string_view kPayloadVersion = "2020-04-01";
constexpr std::chrono::seconds kHookTime{5};

std::string name_of(const OperationContext& context) {
  return required_text(context.input, "templateName");
}

std::int64_t version_of(const OperationContext& context) {
  const auto version = optional_number(context.input, "versionId");
  if (!version) throw Error(ErrorCode::invalid_argument, "versionId: is missing");
  return *version;
}

json::value to_json(const ProvisioningHook& hook) {
  return json::object{{"payloadVersion", hook.payload_version}, {"targetArn", hook.function_arn}};
}

json::object summary(const ProvisioningTemplate& one) {
  json::object output{{"templateArn", one.arn},
                      {"templateName", one.name},
                      {"creationDate", base::to_epoch_seconds(one.created)},
                      {"lastModifiedDate", base::to_epoch_seconds(one.updated)},
                      {"enabled", one.is_enabled},
                      {"type", "FLEET_PROVISIONING"}};
  put_unless_empty(output, "description", one.description);
  return output;
}

// What the operations of this file have in common.
struct Parts {
  control::ControlPlane& control;
  const InternalCalls& calls;
  const Authorizer* authorizer;

  void pass(const OperationContext& context, const std::string& role) const {
    require_pass_role(authorizer, context.caller, Protocol::rest_json, role, kIotService,
                      control.provisioning_templates.arn(name_of(context)));
  }

  [[nodiscard]] std::optional<ProvisioningHook> read_hook(const OperationContext& context) const {
    const base::JsonReader reader(context.input, "", {.separator = ": "});
    if (!reader.has("preProvisioningHook")) return std::nullopt;
    const base::JsonReader given = reader.child("preProvisioningHook");
    ProvisioningHook hook{given.required_text("targetArn"),
                          given.optional_string("payloadVersion").value_or("")};
    if (hook.payload_version.empty()) hook.payload_version = std::string(kPayloadVersion);
    if (hook.payload_version != kPayloadVersion) {
      given.fail("payloadVersion", "must be 2020-04-01");
    }
    calls.require_operation(context.caller, "lambda", "Invoke",
                            {{"FunctionName", hook.function_arn}});
    return hook;
  }
};

json::value create(const Parts& parts, const OperationContext& context) {
  if (word_or_empty(context.input, "type", {"FLEET_PROVISIONING", "JITP"}) == "JITP") {
    throw Error(ErrorCode::unsupported,
                "type: JITP needs a CA of yours, and this server knows one CA, its own; make a "
                "template of type FLEET_PROVISIONING");
  }
  ProvisioningTemplate wanted{.name = name_of(context),
                              .arn = {},
                              .description = text_or_empty(context.input, "description"),
                              .is_enabled = flag(context.input, "enabled"),
                              .role_arn = required_text(context.input, "provisioningRoleArn"),
                              .hook = {},
                              .body = required_text(context.input, "templateBody"),
                              .created = {},
                              .updated = {}};
  parts.pass(context, wanted.role_arn);
  if (auto hook = parts.read_hook(context)) wanted.hook = *std::move(hook);
  const auto made = naming(ErrorCode::resource_exhausted, 410, "LimitExceededException",
                           [&] { return parts.control.provisioning_templates.create(wanted); });
  if (context.input.contains("tags")) {
    parts.control.tags.set(made.arn, read_iot_tags(context.input));
  }
  return json::object{{"templateArn", made.arn},
                      {"templateName", made.name},
                      {"defaultVersionId", made.default_version}};
}

json::value describe(const Parts& parts, const OperationContext& context) {
  const ProvisioningTemplate one = parts.control.provisioning_templates.require(name_of(context));
  json::object output = summary(one);
  output["defaultVersionId"] = one.default_version;
  output["templateBody"] = one.body;
  output["provisioningRoleArn"] = one.role_arn;
  if (!one.hook.function_arn.empty()) output["preProvisioningHook"] = to_json(one.hook);
  return output;
}

json::value list(const Parts& parts, const OperationContext& context) {
  const auto found = parts.control.provisioning_templates.list(read_page(context.input, kPages));
  json::array templates;
  for (const ProvisioningTemplate& one : found.items) templates.emplace_back(summary(one));
  json::object output{{"templates", std::move(templates)}};
  put_next(output, found.next);
  return output;
}

json::value update(const Parts& parts, const OperationContext& context) {
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  control::ProvisioningTemplateChange change;
  change.description = reader.optional_string("description");
  if (reader.has("enabled")) change.is_enabled = flag(context.input, "enabled");
  change.default_version = optional_number(context.input, "defaultVersionId");
  change.role_arn = reader.optional_string("provisioningRoleArn");
  if (change.role_arn) parts.pass(context, *change.role_arn);
  change.hook = parts.read_hook(context);
  if (flag(context.input, "removePreProvisioningHook")) {
    if (change.hook) {
      reader.fail("removePreProvisioningHook", "and preProvisioningHook cannot be said at once");
    }
    change.hook = ProvisioningHook{};
  }
  parts.control.provisioning_templates.update(name_of(context), change);
  return json::object{};
}

json::value remove(const Parts& parts, const OperationContext& context) {
  naming(ErrorCode::conflict, 409, "DeleteConflictException",
         [&] { parts.control.provisioning_templates.remove(name_of(context)); });
  return json::object{};
}

json::value create_version(const Parts& parts, const OperationContext& context) {
  using Standing = control::VersionStanding;
  const std::string name = name_of(context);
  const std::string body = required_text(context.input, "templateBody");
  const Standing standing =
      flag(context.input, "setAsDefault") ? Standing::is_default : Standing::is_other;
  const auto made = naming(
      ErrorCode::resource_exhausted, 409, "VersionsLimitExceededException",
      [&] { return parts.control.provisioning_templates.add_version(name, body, standing); });
  return json::object{{"templateArn", parts.control.provisioning_templates.arn(name)},
                      {"templateName", name},
                      {"versionId", made.version},
                      {"isDefaultVersion", made.is_default}};
}

json::object describe(const control::DocumentVersion& version) {
  return {{"versionId", version.version},
          {"creationDate", base::to_epoch_seconds(version.created)},
          {"isDefaultVersion", version.is_default}};
}

json::value describe_version(const Parts& parts, const OperationContext& context) {
  const auto version =
      parts.control.provisioning_templates.version(name_of(context), version_of(context));
  json::object output = describe(version);
  output["templateBody"] = version.document;
  return output;
}

json::value list_versions(const Parts& parts, const OperationContext& context) {
  // At most five: one page.
  (void)read_page(context.input, kPages);
  json::array versions;
  for (const auto& version : parts.control.provisioning_templates.versions(name_of(context))) {
    versions.emplace_back(describe(version));
  }
  return json::object{{"versions", std::move(versions)}};
}

json::value remove_version(const Parts& parts, const OperationContext& context) {
  naming(ErrorCode::conflict, 409, "DeleteConflictException", [&] {
    parts.control.provisioning_templates.remove_version(name_of(context), version_of(context));
  });
  return json::object{};
}

json::value create_claim(const Parts& parts, const OperationContext& context) {
  const auto claim = parts.control.provisioner.make_claim(name_of(context));
  return json::object{
      {"certificateId", claim.certificate_id},
      {"certificatePem", claim.certificate_pem},
      {"keyPair", {{"PublicKey", claim.public_key_pem}, {"PrivateKey", claim.private_key_pem}}},
      {"expiration", base::to_epoch_seconds(claim.expires)}};
}

json::value register_thing(const Parts& parts, const OperationContext& context) {
  const auto registered = parts.control.provisioner.register_thing(
      required_text(context.input, "templateBody"), text_map(context.input, "parameters"));
  json::object output{{"resourceArns", to_object(registered.arns)}};
  put_unless_empty(output, "certificatePem", registered.certificate_pem);
  return output;
}

}  // namespace

std::vector<Operation> provisioning_operations(control::ControlPlane& control,
                                               const InternalCalls& calls,
                                               const Authorizer* authorizer) {
  using Function = json::value (*)(const Parts&, const OperationContext&);
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       Function function) {
    return rest_row("iot", name, method, path, Parts{control, calls, authorizer}, function);
  };
  return {
      row("CreateProvisioningTemplate", "POST", "/provisioning-templates", create),
      row("DescribeProvisioningTemplate", "GET", kOne, describe),
      row("ListProvisioningTemplates", "GET", "/provisioning-templates", list),
      row("UpdateProvisioningTemplate", "PATCH", kOne, update),
      row("DeleteProvisioningTemplate", "DELETE", kOne, remove),
      row("CreateProvisioningTemplateVersion", "POST", kVersions, create_version),
      row("DescribeProvisioningTemplateVersion", "GET", kVersion, describe_version),
      row("ListProvisioningTemplateVersions", "GET", kVersions, list_versions),
      row("DeleteProvisioningTemplateVersion", "DELETE", kVersion, remove_version),
      row("CreateProvisioningClaim", "POST",
          "/provisioning-templates/{templateName}/provisioning-claim", create_claim),
      row("RegisterThing", "POST", "/things", register_thing),
  };
}

control::AskHook function_hook(const InternalCalls& calls, const fleet::Arns& arns) {
  return [&calls, arns](const control::HookQuestion& question) {
    const Operation* row = calls.find("lambda", "Invoke");
    if (row == nullptr) throw Error(ErrorCode::unavailable, "this server has no functions yet");
    const Caller caller{.access_key_id = {},
                        .principal = std::string(control::kOperatorPrincipal),
                        .account_id = arns.account(),
                        .region = arns.region()};
    const json::object input{{"FunctionName", question.function_arn},
                             {"InvocationType", "RequestResponse"},
                             {"Payload", base::to_text(question.event)}};
    // Outlives this call where the function is late.
    const auto promise = std::make_shared<std::promise<json::value>>();
    auto answer = promise->get_future();
    calls.call(caller, *row, input,
               Answer([promise](const json::value& output, const std::exception_ptr& failure) {
                 if (failure) {
                   promise->set_exception(failure);
                 } else {
                   promise->set_value(output);
                 }
               }));
    if (answer.wait_for(kHookTime) != std::future_status::ready) {
      throw Error(ErrorCode::deadline_exceeded,
                  "the template's preProvisioningHook took more than 5 s");
    }
    json::value output;
    try {
      output = answer.get();
    } catch (const std::exception& error) {
      // A device learns neither the function's name nor why it cannot be called.
      base::log_warning("a preProvisioningHook cannot be called",
                        {{"function", question.function_arn}, {"reason", error.what()}});
      throw Error(ErrorCode::failed_precondition,
                  "the template's preProvisioningHook cannot be called; the server's log says why");
    }
    const base::JsonReader reader(output, "");
    if (reader.has("FunctionError")) {
      base::log_warning("a preProvisioningHook has failed", {{"function", question.function_arn}});
      throw Error(ErrorCode::failed_precondition, "the template's preProvisioningHook failed");
    }
    return control::read_hook_verdict(
        base::parse_json(reader.string("Payload"), "the answer of the hook"));
  };
}

}  // namespace andon::api
