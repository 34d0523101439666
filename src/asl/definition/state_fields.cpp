// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/state_fields.hpp"

#include <algorithm>

namespace andon::asl {
namespace {

using Names = std::vector<std::string_view>;

bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Names state_fields(std::string_view type) {
  Names fields = {"Type", "Comment", "QueryLanguage"};
  const auto add = [&fields](const Names& more) {
    fields.insert(fields.end(), more.begin(), more.end());
  };
  if (type != "Fail") add({"InputPath", "OutputPath", "Output"});
  if (type != "Fail" && type != "Succeed") add({"Assign"});
  if (type != "Fail" && type != "Succeed" && type != "Choice") add({"Next", "End"});
  if (type == "Task" || type == "Parallel" || type == "Map") {
    add({"ResultPath", "ResultSelector", "Parameters", "Retry", "Catch"});
  }
  if (type == "Task" || type == "Parallel") add({"Arguments"});
  if (type == "Pass") add({"Result", "ResultPath", "Parameters"});
  if (type == "Task") {
    add({"Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds",
         "HeartbeatSecondsPath", "Credentials"});
  }
  if (type == "Choice") add({"Choices", "Default"});
  if (type == "Wait") add({"Seconds", "SecondsPath", "Timestamp", "TimestampPath"});
  if (type == "Fail") add({"Error", "ErrorPath", "Cause", "CausePath"});
  if (type == "Parallel") add({"Branches"});
  if (type == "Map") {
    add({"ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "MaxConcurrency",
         "MaxConcurrencyPath", "ToleratedFailureCount", "ToleratedFailureCountPath",
         "ToleratedFailurePercentage", "ToleratedFailurePercentagePath", "ItemReader",
         "ItemBatcher", "ResultWriter", "Label"});
  }
  return fields;
}

bool is_json_path_field(std::string_view field, std::string_view type) {
  static const Names paths = {"InputPath",      "OutputPath", "ResultPath",
                              "ResultSelector", "Parameters", "ItemsPath"};
  if (field == "Result") return type == "Pass";
  return contains(paths, field) || (field.ends_with("Path") && contains(state_fields(type), field));
}

bool is_jsonata_field(std::string_view field, std::string_view type) {
  if (field == "Items") return type == "Map";
  return (field == "Arguments" || field == "Output") && contains(state_fields(type), field);
}

}  // namespace andon::asl
