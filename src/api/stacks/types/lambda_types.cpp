// SPDX-License-Identifier: Apache-2.0
// Functions: code and configuration, versions, aliases, permissions, layers.
#include <chrono>

#include "api/stacks/types/inline_package.hpp"
#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 64;
constexpr std::chrono::minutes kPatience{5};
constexpr std::chrono::milliseconds kGlance{100};

std::string function_name(const Work& work) {
  return work.name("FunctionName", kLongestName);
}

std::optional<json::value> configuration(const Work& work, const std::string& name,
                                         const std::string& qualifier = {}) {
  json::object input{{"FunctionName", name}};
  if (!qualifier.empty()) input["Qualifier"] = qualifier;
  return work.calls.find("lambda", "GetFunctionConfiguration", input);
}

// Until its code is ready, or is said not to become so.
void wait_ready(const Work& work, const std::string& name) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto now = configuration(work, name);
    if (!now) throw Error(ErrorCode::not_found, "the function " + name + " is gone");
    const std::string state = member_text(*now, "State");
    const std::string update = member_text(*now, "LastUpdateStatus");
    if (state == "Failed") {
      throw Error(ErrorCode::failed_precondition, name + ": " + member_text(*now, "StateReason"));
    }
    if (update == "Failed") {
      throw Error(ErrorCode::failed_precondition,
                  name + ": " + member_text(*now, "LastUpdateStatusReason"));
    }
    if (state != "Pending" && update != "InProgress") return;
    if (std::chrono::steady_clock::now() > end) {
      throw Error(ErrorCode::deadline_exceeded, name + " is still " + state + " after 5 minutes");
    }
    work.calls.pause(kGlance);
  }
}

// As the API takes it: text that stands in the template becomes an archive.
json::object code_of(const Work& work) {
  const auto* code = work.get("Code");
  json::object made = code != nullptr && code->is_object() ? code->get_object() : json::object();
  made.erase("S3ObjectVersion");
  if (const auto* text = made.if_contains("ZipFile")) {
    const bool is_python = work.text("Runtime").starts_with("python");
    const std::string handler = work.text("Handler");
    const std::string file = handler.substr(0, handler.find('.'));
    made["ZipFile"] = base::to_base64(zip_of(
        (is_python ? (file.empty() ? "index" : file) + ".py" : "bootstrap"), document_text(*text)));
  }
  return made;
}

json::object configuration_of(const Work& work) {
  json::object input = work.pick({"Role", "Handler", "Runtime", "Description", "Timeout",
                                  "MemorySize", "Environment", "DeadLetterConfig", "TracingConfig",
                                  "EphemeralStorage", "SnapStart", "Layers"});
  if (const auto* logging = work.get("LoggingConfig")) input["LoggingConfig"] = *logging;
  // Values of variables are texts, whatever the template has.
  if (auto* environment = input.if_contains("Environment"); environment != nullptr) {
    json::object variables;
    if (const auto* given = member(*environment, "Variables"); given && given->is_object()) {
      for (const auto& [name, value] : given->get_object()) {
        variables[name] = document_text(value);
      }
    }
    input["Environment"] = json::object{{"Variables", std::move(variables)}};
  }
  return input;
}

std::optional<json::object> find_function(const Work& work) {
  const auto found = configuration(work, work.physical_id);
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "FunctionArn")}};
}

void put_concurrency(const Work& work, const json::object& before) {
  if (!differs(before, work.properties, {"ReservedConcurrentExecutions"})) return;
  const auto* wanted = work.get("ReservedConcurrentExecutions");
  if (wanted != nullptr) {
    work.calls.call(
        "lambda", "PutFunctionConcurrency",
        {{"FunctionName", work.physical_id}, {"ReservedConcurrentExecutions", *wanted}});
  } else {
    work.calls.call_unless_gone("lambda", "DeleteFunctionConcurrency",
                                {{"FunctionName", work.physical_id}});
  }
}

std::string create_function(const Work& work) {
  json::object input = configuration_of(work);
  for (const auto& [key, value] : work.pick({"Architectures", "PackageType"})) input[key] = value;
  input["FunctionName"] = work.physical_id;
  input["Code"] = code_of(work);
  if (work.get("Tags") != nullptr) input["Tags"] = tag_map(work.get("Tags"));
  work.calls.call("lambda", "CreateFunction", input);
  wait_ready(work, work.physical_id);
  put_concurrency(work, {});
  return work.physical_id;
}

void update_function(const Work& work, const json::object& before) {
  wait_ready(work, work.physical_id);
  if (differs(before, work.properties,
              {"Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "Environment",
               "DeadLetterConfig", "TracingConfig", "EphemeralStorage", "SnapStart", "Layers",
               "LoggingConfig"})) {
    json::object input = configuration_of(work);
    // What the template no longer says goes back to what it is without it.
    const auto reset = [&](std::string_view member, json::value value) {
      if (!input.contains(member) && before.contains(member)) input[member] = std::move(value);
    };
    reset("Description", "");
    reset("Timeout", 3);
    reset("MemorySize", 128);
    reset("Environment", json::object{{"Variables", json::object()}});
    reset("DeadLetterConfig", json::object{{"TargetArn", ""}});
    reset("Layers", json::array());
    input["FunctionName"] = work.physical_id;
    work.calls.call("lambda", "UpdateFunctionConfiguration", input);
    wait_ready(work, work.physical_id);
  }
  if (differs(before, work.properties, {"Code", "Architectures"})) {
    json::object input = code_of(work);
    if (const auto* architectures = work.get("Architectures")) {
      input["Architectures"] = *architectures;
    }
    input["FunctionName"] = work.physical_id;
    work.calls.call("lambda", "UpdateFunctionCode", input);
    wait_ready(work, work.physical_id);
  }
  put_concurrency(work, before);
  const json::object tags = tag_map(work.get("Tags"));
  const json::object old = tag_map(before.if_contains("Tags"));
  if (tags == old) return;
  const std::string arn = work.arn("lambda", "function:" + work.physical_id);
  json::array gone;
  for (const auto& [key, value] : old) {
    if (!tags.contains(key)) gone.emplace_back(key);
  }
  if (!gone.empty()) {
    work.calls.call("lambda", "UntagResource", {{"Resource", arn}, {"tagKeys", gone}});
  }
  if (!tags.empty()) work.calls.call("lambda", "TagResource", {{"Resource", arn}, {"Tags", tags}});
}

void remove_function(const Work& work) {
  work.calls.call_unless_gone("lambda", "DeleteFunction", {{"FunctionName", work.physical_id}});
}

// The last part of an ARN, and what stands before it.
std::string last_part(const std::string& arn) {
  return arn.substr(arn.rfind(':') + 1);
}
std::string first_part(const std::string& arn) {
  return arn.substr(0, arn.rfind(':'));
}

std::optional<json::object> find_version(const Work& work) {
  if (work.physical_id.empty()) return std::nullopt;
  const std::string version = last_part(work.physical_id);
  if (!configuration(work, first_part(work.physical_id), version)) return std::nullopt;
  return json::object{{"Version", version}, {"FunctionArn", work.physical_id}};
}

std::string create_version(const Work& work) {
  const std::string name = work.text("FunctionName");
  wait_ready(work, name);
  const auto made = work.calls.call("lambda", "PublishVersion",
                                    work.pick({"FunctionName", "Description", "CodeSha256"}));
  return member_text(made, "FunctionArn");
}

void remove_version(const Work& work) {
  if (work.physical_id.empty()) return;
  work.calls.call_unless_gone(
      "lambda", "DeleteFunction",
      {{"FunctionName", first_part(work.physical_id)}, {"Qualifier", last_part(work.physical_id)}});
}

std::string function_of_alias(const Work& work) {
  const std::string name = work.text("FunctionName");
  return name.starts_with("arn:") ? last_part(name) : name;
}

std::string alias_arn(const Work& work) {
  return work.arn("lambda", "function:" + function_of_alias(work) + ":" + work.text("Name"));
}

std::optional<json::object> find_alias(const Work& work) {
  const auto found =
      work.calls.find("lambda", "GetAlias",
                      {{"FunctionName", function_of_alias(work)}, {"Name", work.text("Name")}});
  if (!found) return std::nullopt;
  return json::object{{"AliasArn", work.physical_id}};
}

json::object alias_input(const Work& work) {
  json::object input = work.pick({"Name", "FunctionVersion", "Description"});
  input["FunctionName"] = function_of_alias(work);
  if (const auto* routing = work.get("RoutingConfig")) {
    json::object weights;
    const auto* list = member(*routing, "AdditionalVersionWeights");
    for (const json::value& one :
         list != nullptr && list->is_array() ? list->get_array() : json::array()) {
      if (const auto* weight = member(one, "FunctionWeight")) {
        weights[member_text(one, "FunctionVersion")] = *weight;
      }
    }
    input["RoutingConfig"] = json::object{{"AdditionalVersionWeights", std::move(weights)}};
  }
  return input;
}

std::string create_alias(const Work& work) {
  work.calls.call("lambda", "CreateAlias", alias_input(work));
  return work.physical_id;
}

void update_alias(const Work& work, const json::object& /*before*/) {
  work.calls.call("lambda", "UpdateAlias", alias_input(work));
}

void remove_alias(const Work& work) {
  work.calls.call_unless_gone(
      "lambda", "DeleteAlias",
      {{"FunctionName", function_of_alias(work)}, {"Name", work.text("Name")}});
}

std::string permission_id(const Work& work) {
  return work.made_name(kLongestName);
}

std::optional<json::object> find_permission(const Work& work) {
  const auto found = work.calls.find("lambda", "GetPolicy", work.pick({"FunctionName"}));
  if (!found) return std::nullopt;
  const std::string policy = member_text(*found, "Policy");
  if (policy.find("\"" + work.physical_id + "\"") == std::string::npos) return std::nullopt;
  return json::object{{"Id", work.physical_id}};
}

std::string create_permission(const Work& work) {
  json::object input = work.pick(
      {"FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken"});
  input["StatementId"] = work.physical_id;
  work.calls.call("lambda", "AddPermission", input);
  return work.physical_id;
}

void remove_permission(const Work& work) {
  json::object input = work.pick({"FunctionName"});
  input["StatementId"] = work.physical_id;
  work.calls.call_unless_gone("lambda", "RemovePermission", input);
}

void update_permission(const Work& work, const json::object& /*before*/) {
  remove_permission(work);
  (void)create_permission(work);
}

std::optional<json::object> find_layer(const Work& work) {
  if (work.physical_id.empty()) return std::nullopt;
  const std::string version = last_part(work.physical_id);
  json::object input{{"LayerName", first_part(work.physical_id)}, {"VersionNumber", version}};
  if (!work.calls.find("lambda", "GetLayerVersion", input)) return std::nullopt;
  return json::object{{"LayerVersionArn", work.physical_id}};
}

std::string create_layer(const Work& work) {
  json::object input = work.pick(
      {"Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo", "Content"});
  input["LayerName"] = work.name("LayerName", kLongestName);
  const auto made = work.calls.call("lambda", "PublishLayerVersion", input);
  return member_text(made, "LayerVersionArn");
}

void remove_layer(const Work& work) {
  if (work.physical_id.empty()) return;
  work.calls.call_unless_gone("lambda", "DeleteLayerVersion",
                              {{"LayerName", first_part(work.physical_id)},
                               {"VersionNumber", last_part(work.physical_id)}});
}

}  // namespace

std::vector<ResourceType> lambda_types() {
  return {
      {"AWS::Lambda::Function",
       {{"FunctionName", Kind::text, Change::replace},
        {"PackageType", Kind::text, Change::replace},
        {"Runtime", Kind::text},
        {"Role", Kind::text},
        {"Handler", Kind::text},
        {"Code"},
        {"Description", Kind::text},
        {"Timeout", Kind::integer},
        {"MemorySize", Kind::integer},
        {"Environment"},
        {"DeadLetterConfig"},
        {"TracingConfig"},
        {"Tags"},
        {"Architectures"},
        {"EphemeralStorage"},
        {"SnapStart"},
        {"Layers"},
        {"LoggingConfig"},
        {"ReservedConcurrentExecutions", Kind::integer},
        {"VpcConfig", Kind::any, Change::left_out,
         "a function reaches what the server's machine reaches"},
        {"KmsKeyArn", Kind::text, Change::left_out, "there is no KMS"}},
       "FunctionName",
       function_name,
       find_function,
       create_function,
       update_function,
       remove_function},
      {"AWS::Lambda::Version",
       {{"FunctionName", Kind::text, Change::replace},
        {"Description", Kind::text, Change::replace},
        {"CodeSha256", Kind::text, Change::replace}},
       "",
       nullptr,
       find_version,
       create_version,
       nullptr,
       remove_version},
      {"AWS::Lambda::Alias",
       {{"FunctionName", Kind::text, Change::replace},
        {"Name", Kind::text, Change::replace},
        {"FunctionVersion", Kind::text},
        {"Description", Kind::text},
        {"RoutingConfig"}},
       "Name",
       alias_arn,
       find_alias,
       create_alias,
       update_alias,
       remove_alias},
      {"AWS::Lambda::Permission",
       {{"FunctionName", Kind::text, Change::replace},
        {"Action", Kind::text},
        {"Principal", Kind::text},
        {"SourceArn", Kind::text},
        {"SourceAccount", Kind::text},
        {"EventSourceToken", Kind::text}},
       "",
       permission_id,
       find_permission,
       create_permission,
       update_permission,
       remove_permission},
      {"AWS::Lambda::LayerVersion",
       {{"LayerName", Kind::text, Change::replace},
        {"Content", Kind::any, Change::replace},
        {"Description", Kind::text, Change::replace},
        {"CompatibleRuntimes", Kind::any, Change::replace},
        {"CompatibleArchitectures", Kind::any, Change::replace},
        {"LicenseInfo", Kind::text, Change::replace}},
       "",
       nullptr,
       find_layer,
       create_layer,
       nullptr,
       remove_layer},
  };
}

}  // namespace andon::api
