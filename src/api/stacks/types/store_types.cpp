// SPDX-License-Identifier: Apache-2.0
// Where things are kept: log groups, parameters, secrets, model package groups, feature groups.
#include <chrono>

#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kLongestLog = 512;

std::string log_name(const Work& work) {
  return work.name("LogGroupName", kLongestLog);
}

std::optional<json::object> find_log(const Work& work) {
  const auto found =
      work.calls.find("logs", "DescribeLogGroups", {{"logGroupNamePrefix", work.physical_id}});
  const auto* groups = found ? member(*found, "logGroups") : nullptr;
  if (groups == nullptr || !groups->is_array()) return std::nullopt;
  for (const json::value& one : groups->get_array()) {
    if (member_text(one, "logGroupName") == work.physical_id) {
      return json::object{{"Arn", work.arn("logs", "log-group:" + work.physical_id + ":*")}};
    }
  }
  return std::nullopt;
}

void put_retention(const Work& work, const json::object& before) {
  if (!differs(before, work.properties, {"RetentionInDays"})) return;
  if (const auto* days = work.get("RetentionInDays")) {
    work.calls.call("logs", "PutRetentionPolicy",
                    {{"logGroupName", work.physical_id}, {"retentionInDays", *days}});
  } else {
    work.calls.call_unless_gone("logs", "DeleteRetentionPolicy",
                                {{"logGroupName", work.physical_id}});
  }
}

std::string create_log(const Work& work) {
  json::object input{{"logGroupName", work.physical_id}};
  if (work.get("Tags") != nullptr) input["tags"] = tag_map(work.get("Tags"));
  work.calls.call("logs", "CreateLogGroup", input);
  put_retention(work, {});
  return work.physical_id;
}

void update_log(const Work& work, const json::object& before) {
  put_retention(work, before);
  const json::object tags = tag_map(work.get("Tags"));
  const json::object old = tag_map(before.if_contains("Tags"));
  if (tags == old) return;
  json::array gone;
  for (const auto& [key, value] : old) {
    if (!tags.contains(key)) gone.emplace_back(key);
  }
  if (!gone.empty()) {
    work.calls.call("logs", "UntagLogGroup", {{"logGroupName", work.physical_id}, {"tags", gone}});
  }
  if (!tags.empty()) {
    work.calls.call("logs", "TagLogGroup", {{"logGroupName", work.physical_id}, {"tags", tags}});
  }
}

void remove_log(const Work& work) {
  work.calls.call_unless_gone("logs", "DeleteLogGroup", {{"logGroupName", work.physical_id}});
}

std::string parameter_name(const Work& work) {
  return work.name("Name", kLongestLog);
}

std::optional<json::object> find_parameter(const Work& work) {
  const auto found = work.calls.find("ssm", "GetParameter", {{"Name", work.physical_id}});
  const auto* parameter = found ? member(*found, "Parameter") : nullptr;
  if (parameter == nullptr) return std::nullopt;
  return json::object{{"Type", member_text(*parameter, "Type")},
                      {"Value", member_text(*parameter, "Value")}};
}

json::object parameter_input(const Work& work) {
  json::object input =
      work.pick({"Type", "Value", "Description", "AllowedPattern", "Tier", "DataType"});
  input["Name"] = work.physical_id;
  return input;
}

std::string create_parameter(const Work& work) {
  json::object input = parameter_input(work);
  // A map in this type alone.
  const json::object tags = tag_map(work.get("Tags"));
  json::array list;
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  if (!list.empty()) input["Tags"] = std::move(list);
  work.calls.call("ssm", "PutParameter", input);
  return work.physical_id;
}

void update_parameter(const Work& work, const json::object& /*before*/) {
  json::object input = parameter_input(work);
  input["Overwrite"] = true;
  work.calls.call("ssm", "PutParameter", input);
}

void remove_parameter(const Work& work) {
  work.calls.call_unless_gone("ssm", "DeleteParameter", {{"Name", work.physical_id}});
}

std::string secret_name(const Work& work) {
  return work.name("Name", kLongestLog);
}

std::optional<json::object> find_secret(const Work& work) {
  const auto found =
      work.calls.find("secretsmanager", "DescribeSecret", {{"SecretId", work.physical_id}});
  if (!found || member(*found, "DeletedDate") != nullptr) return std::nullopt;
  return json::object{{"Id", member_text(*found, "ARN")}};
}

// A password that nobody has seen, alone or in a template's JSON.
std::string generated(const Work& work) {
  const auto* rules = work.get("GenerateSecretString");
  json::object input =
      rules != nullptr && rules->is_object() ? rules->get_object() : json::object();
  const std::string frame = member_text(json::value(input), "SecretStringTemplate");
  const std::string key = member_text(json::value(input), "GenerateStringKey");
  input.erase("SecretStringTemplate");
  input.erase("GenerateStringKey");
  const auto made = work.calls.call("secretsmanager", "GetRandomPassword", input);
  const std::string password = member_text(made, "RandomPassword");
  if (frame.empty()) return password;
  json::value document = base::parse_json(frame, "GenerateSecretString.SecretStringTemplate");
  document.as_object()[key] = password;
  return base::to_text(document);
}

std::string create_secret(const Work& work) {
  json::object input = work.pick({"Description", "Tags"});
  input["Name"] = work.physical_id;
  input["SecretString"] = generated(work);
  work.calls.call("secretsmanager", "CreateSecret", input);
  return work.physical_id;
}

void update_secret(const Work& work, const json::object& /*before*/) {
  work.calls.call("secretsmanager", "UpdateSecret",
                  {{"SecretId", work.physical_id}, {"Description", work.text("Description")}});
}

void remove_secret(const Work& work) {
  work.calls.call_unless_gone(
      "secretsmanager", "DeleteSecret",
      {{"SecretId", work.physical_id}, {"ForceDeleteWithoutRecovery", true}});
}

std::string model_group(const Work& work) {
  return work.arn("sagemaker",
                  "model-package-group/" + work.name("ModelPackageGroupName", kLongestName));
}

std::string last_name(const Work& work) {
  return work.physical_id.substr(work.physical_id.rfind('/') + 1);
}

std::optional<json::object> find_model_group(const Work& work) {
  const auto found = work.calls.find("sagemaker", "DescribeModelPackageGroup",
                                     {{"ModelPackageGroupName", last_name(work)}});
  if (!found) return std::nullopt;
  return json::object{{"ModelPackageGroupArn", member_text(*found, "ModelPackageGroupArn")},
                      {"ModelPackageGroupStatus", member_text(*found, "ModelPackageGroupStatus")}};
}

std::string create_model_group(const Work& work) {
  json::object input = work.pick({"ModelPackageGroupDescription", "Tags"});
  input["ModelPackageGroupName"] = last_name(work);
  work.calls.call("sagemaker", "CreateModelPackageGroup", input);
  return work.physical_id;
}

void remove_model_group(const Work& work) {
  work.calls.call_unless_gone("sagemaker", "DeleteModelPackageGroup",
                              {{"ModelPackageGroupName", last_name(work)}});
}

std::string feature_group(const Work& work) {
  return work.name("FeatureGroupName", kLongestName);
}

std::optional<json::object> find_feature_group(const Work& work) {
  const auto found = work.calls.find("sagemaker", "DescribeFeatureGroup",
                                     {{"FeatureGroupName", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"FeatureGroupStatus", member_text(*found, "FeatureGroupStatus")},
                      {"CreationTime", member_text(*found, "CreationTime")}};
}

std::string create_feature_group(const Work& work) {
  json::object input =
      work.pick({"RecordIdentifierFeatureName", "EventTimeFeatureName", "FeatureDefinitions",
                 "OnlineStoreConfig", "OfflineStoreConfig", "RoleArn", "Description", "Tags"});
  input["FeatureGroupName"] = work.physical_id;
  work.calls.call("sagemaker", "CreateFeatureGroup", input);
  constexpr std::chrono::minutes kPatience{2};
  constexpr std::chrono::milliseconds kGlance{200};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto found = find_feature_group(work);
    const std::string status =
        found ? member_text(json::value(*found), "FeatureGroupStatus") : "gone";
    if (status == "Created") return work.physical_id;
    if (status != "Creating" || std::chrono::steady_clock::now() > end) {
      throw Error(ErrorCode::failed_precondition,
                  "the feature group " + work.physical_id + " is " + status);
    }
    work.calls.pause(kGlance);
  }
}

void remove_feature_group(const Work& work) {
  work.calls.call_unless_gone("sagemaker", "DeleteFeatureGroup",
                              {{"FeatureGroupName", work.physical_id}});
}

constexpr std::string_view kNoKms = "there is no KMS";

}  // namespace

std::vector<ResourceType> store_types() {
  return {
      {"AWS::Logs::LogGroup",
       {{"LogGroupName", Kind::text, Change::replace},
        {"RetentionInDays", Kind::integer},
        {"Tags"},
        {"LogGroupClass", Kind::text, Change::left_out, "there is one class of log groups"},
        {"KmsKeyId", Kind::text, Change::left_out, kNoKms}},
       "LogGroupName",
       log_name,
       find_log,
       create_log,
       update_log,
       remove_log},
      {"AWS::SSM::Parameter",
       {{"Name", Kind::text, Change::replace},
        {"Type", Kind::text},
        {"Value", Kind::text},
        {"Description", Kind::text},
        {"AllowedPattern", Kind::text},
        {"Tier", Kind::text},
        {"DataType", Kind::text},
        {"Tags", Kind::any, Change::replace}},
       "Name",
       parameter_name,
       find_parameter,
       create_parameter,
       update_parameter,
       remove_parameter},
      {"AWS::SecretsManager::Secret",
       {{"Name", Kind::text, Change::replace},
        {"Description", Kind::text},
        {"GenerateSecretString", Kind::any, Change::replace},
        {"Tags", Kind::any, Change::replace},
        {"KmsKeyId", Kind::text, Change::left_out, kNoKms}},
       "Name",
       secret_name,
       find_secret,
       create_secret,
       update_secret,
       remove_secret},
      {"AWS::SageMaker::ModelPackageGroup",
       {{"ModelPackageGroupName", Kind::text, Change::replace},
        {"ModelPackageGroupDescription", Kind::text, Change::replace},
        {"Tags", Kind::any, Change::replace}},
       "ModelPackageGroupName",
       model_group,
       find_model_group,
       create_model_group,
       nullptr,
       remove_model_group},
      {"AWS::SageMaker::FeatureGroup",
       {{"FeatureGroupName", Kind::text, Change::replace},
        {"RecordIdentifierFeatureName", Kind::text, Change::replace},
        {"EventTimeFeatureName", Kind::text, Change::replace},
        {"FeatureDefinitions", Kind::any, Change::replace},
        {"OnlineStoreConfig", Kind::any, Change::replace},
        {"OfflineStoreConfig", Kind::any, Change::replace},
        {"RoleArn", Kind::text, Change::replace},
        {"Description", Kind::text, Change::replace},
        {"Tags", Kind::any, Change::replace}},
       "FeatureGroupName",
       feature_group,
       find_feature_group,
       create_feature_group,
       nullptr,
       remove_feature_group},
  };
}

}  // namespace andon::api
