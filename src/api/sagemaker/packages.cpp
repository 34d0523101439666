// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

// Members of CreateModelPackage that DescribeModelPackage gives back as they came.
constexpr std::array<std::string_view, 18> kKeptMembers{"ModelPackageDescription",
                                                        "ModelPackageRegistrationType",
                                                        "InferenceSpecification",
                                                        "ValidationSpecification",
                                                        "SourceAlgorithmSpecification",
                                                        "CertifyForMarketplace",
                                                        "MetadataProperties",
                                                        "ModelMetrics",
                                                        "Domain",
                                                        "Task",
                                                        "SamplePayloadUrl",
                                                        "CustomerMetadataProperties",
                                                        "DriftCheckBaselines",
                                                        "AdditionalInferenceSpecifications",
                                                        "SkipModelValidation",
                                                        "SourceUri",
                                                        "ModelCard",
                                                        "ModelLifeCycle"};
constexpr std::array<std::string_view, 5> kReplaceableMembers{"ModelPackageRegistrationType",
                                                              "InferenceSpecification", "SourceUri",
                                                              "ModelCard", "ModelLifeCycle"};
constexpr std::size_t kMaxMetadata = 50;
constexpr std::size_t kMaxShownName = 63;
constexpr std::size_t kMaxMetadataKeyBytes = 128;
constexpr std::size_t kMaxMetadataValueBytes = 256;

[[noreturn]] void refuse(std::string_view key, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, std::string(key) + ": " + problem);
}

template <std::size_t Count>
json::object keep(const json::object& input, const std::array<std::string_view, Count>& members) {
  json::object kept;
  for (const std::string_view member : members) {
    const json::value* value = input.if_contains(member);
    if (value != nullptr && !value->is_null()) kept[member] = *value;
  }
  return kept;
}

json::object read_customer_metadata(const json::object& input) {
  constexpr std::string_view kKey = "CustomerMetadataProperties";
  const auto map = text_map(input, kKey);
  if (map.size() > kMaxMetadata) refuse(kKey, "at most 50 properties are kept");
  for (const auto& [key, value] : map) {
    if (key.empty() || key.size() > kMaxMetadataKeyBytes || value.size() > kMaxMetadataValueBytes) {
      refuse(kKey, "a key may have 1 to 128 bytes and a value at most 256");
    }
  }
  return to_object(map);
}

std::optional<control::ApprovalStatus> read_approval(const json::object& input) {
  const std::string text = word_or_empty(input, "ModelApprovalStatus",
                                         {"Approved", "Rejected", "PendingManualApproval"});
  if (text.empty()) return std::nullopt;
  return control::parse_approval_status(text);
}

// Before a model is approved: who approves one that cannot be opened says why.
std::optional<control::ModelCheck> require_good_model(const SageMaker& service,
                                                      const json::object& content,
                                                      const std::string& description) {
  if (service.checks == nullptr) return std::nullopt;
  auto check = service.checks->look(content);
  if (check && check->verdict == control::ModelVerdict::fails && description.empty()) {
    refuse("ModelApprovalStatus",
           "the model cannot be opened: " + check->reason +
               "; to approve it all the same, say why in ApprovalDescription");
  }
  return check;
}

// The ARN of who calls; empty where it is not known.
std::string arn_of_caller(const SageMaker& service, const OperationContext& context) {
  if (service.authorizer == nullptr) return {};
  const auto principal = service.authorizer->principal(context.caller);
  return principal ? principal->arn : std::string();
}

json::value create_package(const SageMaker& service, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "ModelPackageName");
  const std::string group = text_or_empty(context.input, "ModelPackageGroupName");
  if (name.empty() == group.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "give either ModelPackageGroupName (for a versioned package) or "
                "ModelPackageName (for one without versions)");
  }
  (void)read_description(context.input, "ModelPackageDescription");
  (void)read_customer_metadata(context.input);
  control::NewModelPackage package{.by = arn_of_caller(service, context)};
  package.content = keep(context.input, kKeptMembers);
  if (group.empty()) {
    package.name = name;
    package.kind = control::PackageKind::unversioned;
  } else {
    package.name = read_group_name(context.input, "ModelPackageGroupName");
  }
  package.approval = read_approval(context.input).value_or(control::ApprovalStatus::pending);
  const std::string token = text_or_empty(context.input, "ClientToken");
  if (!token.empty()) package.client_token = token;
  const control::TagMap tags = read_tags(context.input);
  if (!tags.empty() && !group.empty()) {
    refuse("Tags", "a versioned model package takes none: tag its group");
  }
  std::optional<control::ModelCheck> check;
  if (package.approval == control::ApprovalStatus::approved && !group.empty()) {
    check = require_good_model(service, package.content, "");
  }
  const control::ModelPackageId id = service.registry.create_package(package).id;
  if (check) service.checks->keep(id, *check);
  const std::string arn = package_arn(service.arns, id);
  if (!tags.empty()) service.registry.tags().set(arn, tags);
  return json::object{{"ModelPackageArn", arn}};
}

json::object identify(const SageMaker& service, const control::ModelPackage& package) {
  json::object output;
  // A versioned package has its group's name and no other.
  if (package.id.is_versioned()) {
    output["ModelPackageGroupName"] = package.id.name;
    output["ModelPackageVersion"] = package.id.version;
  } else {
    output["ModelPackageName"] = package.id.name;
  }
  output["ModelPackageArn"] = package_arn(service.arns, package.id);
  output["CreationTime"] = base::to_epoch_seconds(package.created);
  output["ModelPackageStatus"] = "Completed";
  if (package.id.is_versioned()) {
    output["ModelApprovalStatus"] = control::to_string(package.approval);
  }
  return output;
}

json::value describe_package(const SageMaker& service, const OperationContext& context) {
  const control::ModelPackageId id = read_package_id(context.input, "ModelPackageName");
  const auto package = service.registry.find_package(id);
  if (!package) {
    throw Error(ErrorCode::not_found,
                "ModelPackage " + package_arn(service.arns, id) + " does not exist.");
  }
  return show_package(service, *package);
}

json::object summarize(const SageMaker& service, const control::ModelPackage& package) {
  json::object summary = identify(service, package);
  for (const std::string_view member :
       {"ModelPackageDescription", "ModelPackageRegistrationType", "ModelLifeCycle"}) {
    const json::value* value = package.content.if_contains(member);
    if (value != nullptr) summary[member] = *value;
  }
  return summary;
}

json::value list_packages(const SageMaker& service, const OperationContext& context) {
  control::RegistryFilter filter = read_filter(context.input);
  // Who asks for this order and takes the first means the newest.
  if (text_or_empty(context.input, "SortBy") == "CreationTime" &&
      text_or_empty(context.input, "SortOrder").empty()) {
    filter.order = control::SortOrder::descending;
  }
  filter.approval = read_approval(context.input);
  const std::string kind =
      word_or_empty(context.input, "ModelPackageType", {"Versioned", "Unversioned", "Both"});
  if (!text_or_empty(context.input, "ModelPackageGroupName").empty()) {
    filter.group = read_group_name(context.input, "ModelPackageGroupName");
    if (kind == "Unversioned") refuse("ModelPackageType", "the packages of a group are versioned");
    if (!service.registry.find_group(*filter.group)) {
      throw Error(
          ErrorCode::not_found,
          "ModelPackageGroup " + group_arn(service.arns, *filter.group) + " does not exist.");
    }
  } else if (kind == "Versioned") {
    filter.kind = control::PackageKind::versioned;
  } else if (kind != "Both") {
    filter.kind = control::PackageKind::unversioned;
  }
  const auto page = service.registry.list_packages(filter, read_registry_page(context.input));
  json::array list;
  for (const control::ModelPackage& package : page.items) {
    list.push_back(summarize(service, package));
  }
  json::object output{{"ModelPackageSummaryList", std::move(list)}};
  put_next_token(output, page.next);
  return output;
}

std::vector<std::string> read_removed_metadata(const json::object& input) {
  constexpr std::string_view kKey = "CustomerMetadataPropertiesToRemove";
  std::vector<std::string> keys;
  const json::value* list = input.if_contains(kKey);
  if (list == nullptr || list->is_null()) return keys;
  if (!list->is_array()) refuse(kKey, "must be a list of keys");
  for (const json::value& key : list->get_array()) {
    if (!key.is_string()) refuse(kKey, "must be a list of keys");
    keys.emplace_back(key.get_string());
  }
  return keys;
}

json::value update_package(const SageMaker& service, const OperationContext& context) {
  const control::ModelPackageId id = read_package_id(context.input, "ModelPackageArn");
  control::ModelPackageChange change{.by = arn_of_caller(service, context)};
  change.approval = read_approval(context.input);
  if (change.approval && !id.is_versioned()) {
    refuse("ModelApprovalStatus", "only packages of a group have one");
  }
  if (context.input.contains("ApprovalDescription")) {
    change.approval_description = read_description(context.input, "ApprovalDescription");
  }
  change.replaced_content = keep(context.input, kReplaceableMembers);
  change.added_customer_metadata = read_customer_metadata(context.input);
  change.removed_customer_metadata = read_removed_metadata(context.input);
  const json::value* added = context.input.if_contains("AdditionalInferenceSpecificationsToAdd");
  if (added != nullptr && !added->is_null()) {
    if (!added->is_array()) refuse("AdditionalInferenceSpecificationsToAdd", "must be a list");
    change.added_inference_specifications = added->get_array();
  }
  std::optional<control::ModelCheck> check;
  const auto before = service.registry.find_package(id);
  if (before && change.approval == control::ApprovalStatus::approved) {
    json::object content = before->content;
    for (const auto& [name, value] : change.replaced_content) content[name] = value;
    check = require_good_model(service, content, change.approval_description.value_or(""));
  }
  service.registry.update_package(id, change);
  if (check) service.checks->keep(id, *check);
  return json::object{{"ModelPackageArn", package_arn(service.arns, id)}};
}

json::value delete_package(const SageMaker& service, const OperationContext& context) {
  service.registry.delete_package(read_package_id(context.input, "ModelPackageName"));
  return nullptr;
}

// andon's own: AWS keeps the last one's description and no more.
json::value list_decisions(const SageMaker& service, const OperationContext& context) {
  const control::ModelPackageId id{required_text(context.input, "modelName"),
                                   optional_number(context.input, "version").value_or(0)};
  if (!id.is_versioned()) refuse("version", "must be a whole number from 1 on");
  if (!service.registry.find_package(id)) {
    throw Error(ErrorCode::not_found, "there is no " + id.name.substr(0, kMaxShownName) + "@" +
                                          std::to_string(id.version));
  }
  json::array decisions;
  for (const control::ModelDecision& one : service.registry.decisions(id)) {
    json::object decision{{"approval", control::to_string(one.approval)},
                          {"decidedBy", one.by},
                          {"decidedAt", base::to_iso8601(one.time)}};
    put_unless_empty(decision, "reason", one.reason);
    decisions.push_back(std::move(decision));
  }
  return json::object{{"decisions", std::move(decisions)}};
}

// AWS's UserContext.
void put_user(json::object& output, std::string_view key, const std::string& arn) {
  if (!arn.empty()) output[key] = json::object{{"IamIdentity", json::object{{"Arn", arn}}}};
}

json::array checks_of(const SageMaker& service, const control::ModelPackageId& id) {
  const auto check = service.checks == nullptr ? std::nullopt : service.checks->find(id);
  if (!check) return {};
  constexpr std::string_view kName = "opens-in-onnx-runtime";
  json::object shown{{"Name", kName},
                     {"Status", check->verdict == control::ModelVerdict::loads   ? "Completed"
                                : check->verdict == control::ModelVerdict::fails ? "Failed"
                                                                                 : "NotStarted"}};
  put_unless_empty(shown, "FailureReason", check->reason);
  return json::array{std::move(shown)};
}

}  // namespace

json::object show_package(const SageMaker& service, const control::ModelPackage& package) {
  json::object output = identify(service, package);
  // Also of a versioned one, for AWS's model says that it is always there.
  output["ModelPackageName"] = package.id.name;
  for (const auto& [name, value] : package.content) output[name] = value;
  output["ModelPackageStatusDetails"] =
      json::object{{"ValidationStatuses", checks_of(service, package.id)}};
  put_unless_empty(output, "ApprovalDescription", package.approval_description);
  if (package.modified) output["LastModifiedTime"] = base::to_epoch_seconds(*package.modified);
  put_user(output, "CreatedBy", package.created_by);
  put_user(output, "LastModifiedBy", package.modified_by);
  return output;
}

void add_package_rows(std::vector<Operation>& rows, const SageMaker& service) {
  const auto bind = [&](auto function) {
    return
        [service, function](const OperationContext& context) { return function(service, context); };
  };
  rows.push_back(sagemaker_row("CreateModelPackage", bind(create_package)));
  rows.push_back(sagemaker_row("DescribeModelPackage", bind(describe_package)));
  rows.push_back(sagemaker_row("ListModelPackages", bind(list_packages)));
  rows.push_back(sagemaker_row("UpdateModelPackage", bind(update_package)));
  rows.push_back(sagemaker_row("DeleteModelPackage", bind(delete_package)));
  rows.push_back({"andon", "ListModelDecisions", Protocol::rest_json, "GET",
                  "/andon/v1/models/{modelName}/versions/{version}/decisions", 200,
                  bind(list_decisions)});
}

}  // namespace andon::api
