// SPDX-License-Identifier: Apache-2.0
// State machines and activities.
#include <map>

#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 80;

std::string machine_arn(const Work& work) {
  return work.arn("states", "stateMachine:" + work.name("StateMachineName", kLongestName));
}

std::optional<json::object> find_machine(const Work& work) {
  const auto found =
      work.calls.find("states", "DescribeStateMachine", {{"stateMachineArn", work.physical_id}});
  if (!found || member_text(*found, "status") == "DELETING") return std::nullopt;
  json::object attributes{{"Arn", work.physical_id}, {"Name", member_text(*found, "name")}};
  if (const auto revision = member_text(*found, "revisionId"); !revision.empty()) {
    attributes["StateMachineRevisionId"] = revision;
  }
  return attributes;
}

// ${name} by its value; what is not named stays.
std::string substituted(const std::string& text, const json::value* substitutions) {
  if (substitutions == nullptr || !substitutions->is_object()) return text;
  std::string made;
  std::size_t at = 0;
  for (;;) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return made + text.substr(at);
    const std::string name = text.substr(open + 2, close - open - 2);
    made += text.substr(at, open - at);
    const auto* value = substitutions->get_object().if_contains(name);
    made += value != nullptr ? document_text(*value) : text.substr(open, close + 1 - open);
    at = close + 1;
  }
}

std::string definition_of(const Work& work) {
  std::string text = work.text("DefinitionString");
  if (text.empty()) text = work.text("Definition");
  if (const auto* place = work.get("DefinitionS3Location"); text.empty() && place != nullptr) {
    text = work.calls.s3({.method = "GET",
                          .bucket = member_text(*place, "Bucket"),
                          .key = member_text(*place, "Key")});
  }
  if (text.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "a state machine has Definition, DefinitionString or DefinitionS3Location");
  }
  return substituted(text, work.get("DefinitionSubstitutions"));
}

json::object machine_input(const Work& work) {
  json::object input{{"definition", definition_of(work)}, {"roleArn", work.text("RoleArn")}};
  const auto* logging = work.get("LoggingConfiguration");
  input["loggingConfiguration"] =
      logging != nullptr ? lowered(*logging) : json::value(json::object{{"level", "OFF"}});
  if (const auto* tracing = work.get("TracingConfiguration")) {
    input["tracingConfiguration"] = lowered(*tracing);
  }
  return input;
}

std::string create_machine(const Work& work) {
  json::object input = machine_input(work);
  input["name"] = work.name("StateMachineName", kLongestName);
  if (const std::string type = work.text("StateMachineType"); !type.empty()) input["type"] = type;
  if (const auto* tags = work.get("Tags")) input["tags"] = lowered(*tags);
  return member_text(work.calls.call("states", "CreateStateMachine", input), "stateMachineArn");
}

void put_tags(const Work& work, const json::object& before) {
  const json::object tags = tag_map(work.get("Tags"));
  const json::object old = tag_map(before.if_contains("Tags"));
  if (tags == old) return;
  json::array gone;
  for (const auto& [key, value] : old) {
    if (!tags.contains(key)) gone.emplace_back(key);
  }
  if (!gone.empty()) {
    work.calls.call("states", "UntagResource",
                    {{"resourceArn", work.physical_id}, {"tagKeys", gone}});
  }
  if (const auto* given = work.get("Tags")) {
    work.calls.call("states", "TagResource",
                    {{"resourceArn", work.physical_id}, {"tags", lowered(*given)}});
  }
}

void update_machine(const Work& work, const json::object& before) {
  json::object input = machine_input(work);
  input["stateMachineArn"] = work.physical_id;
  work.calls.call("states", "UpdateStateMachine", input);
  put_tags(work, before);
}

void remove_machine(const Work& work) {
  work.calls.call_unless_gone("states", "DeleteStateMachine",
                              {{"stateMachineArn", work.physical_id}});
}

std::string activity_arn(const Work& work) {
  return work.arn("states", "activity:" + work.name("Name", kLongestName));
}

std::optional<json::object> find_activity(const Work& work) {
  const auto found =
      work.calls.find("states", "DescribeActivity", {{"activityArn", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", work.physical_id}, {"Name", member_text(*found, "name")}};
}

std::string create_activity(const Work& work) {
  json::object input{{"name", work.name("Name", kLongestName)}};
  if (const auto* tags = work.get("Tags")) input["tags"] = lowered(*tags);
  return member_text(work.calls.call("states", "CreateActivity", input), "activityArn");
}

void remove_activity(const Work& work) {
  work.calls.call_unless_gone("states", "DeleteActivity", {{"activityArn", work.physical_id}});
}

}  // namespace

std::vector<ResourceType> workflow_types() {
  return {
      {"AWS::StepFunctions::StateMachine",
       {{"StateMachineName", Kind::text, Change::replace},
        {"StateMachineType", Kind::text, Change::replace},
        {"RoleArn", Kind::text},
        {"Definition"},
        {"DefinitionString", Kind::document},
        {"DefinitionS3Location"},
        {"DefinitionSubstitutions"},
        {"LoggingConfiguration"},
        {"TracingConfiguration"},
        {"Tags"},
        {"EncryptionConfiguration", Kind::any, Change::left_out, "there is no KMS"}},
       "StateMachineName",
       machine_arn,
       find_machine,
       create_machine,
       update_machine,
       remove_machine},
      {"AWS::StepFunctions::Activity",
       {{"Name", Kind::text, Change::replace}, {"Tags"}},
       "Name",
       activity_arn,
       find_activity,
       create_activity,
       put_tags,
       remove_activity},
  };
}

}  // namespace andon::api
