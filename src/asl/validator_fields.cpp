// SPDX-License-Identifier: Apache-2.0
#include "asl/validator_fields.hpp"

#include <algorithm>
#include <array>

#include "asl/intrinsic.hpp"
#include "asl/time_text.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

using Names = std::vector<std::string_view>;

bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

constexpr std::string_view kSchema = "SCHEMA_VALIDATION_FAILED";
constexpr std::int64_t kMostSeconds = 99'999'999;

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

void FieldChecker::problem(std::string message, const std::string& field) {
  report_({std::string(kSchema), std::move(message), at_ + "/" + field});
}

void FieldChecker::check_path(const json::object& object, std::string_view key, PathKind kind,
                              const std::string& prefix) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return;
  const std::string field = prefix + std::string(key);
  const bool nullable = key == "InputPath" || key == "OutputPath" || key == "ResultPath";
  if (value->is_null() && nullable) return;
  if (!value->is_string()) {
    problem("Expected value of type [STRING]", field);
    return;
  }
  const std::string_view text = value->get_string();
  const bool may_call = key == "ErrorPath" || key == "CausePath";
  try {
    if (may_call && Intrinsic::looks_like(text)) {
      (void)Intrinsic::parse(text);
      return;
    }
    const JsonPath path = JsonPath::parse(text);
    if (kind == PathKind::reference && !path.is_reference()) {
      problem("Value is not a Reference Path: The value for the field '" + std::string(key) +
                  "' must lead to one place",
              field);
    } else if (key == "ResultPath" && path.root() != PathRoot::input) {
      problem("Value is not a Reference Path: ResultPath must begin with '$.'", field);
    }
  } catch (const base::Error& error) {
    problem("Value is not a valid JSONPath: " + error.message(), field);
  }
}

void FieldChecker::check_expression(std::string_view text, const std::string& field, Place where) {
  const auto report = [&](std::string_view code, std::string message) {
    report_({std::string(code), std::move(message), at_ + "/" + field});
  };
  try {
    const QueryExpression parsed(text, field);
    for (const std::string& name : parsed.expression().top_level_names()) {
      report("UNSUPPORTED_JSONATA_EXPRESSION",
             name == "$" ? "Reference to '$' at the top level is not supported."
                         : "Reference to '" + name + "' at the top level is not supported.");
    }
    for (const std::string& name : parsed.expression().free_variables()) {
      if (name == "$") {
        report("UNSUPPORTED_JSONATA_EXPRESSION", "Reference to '$$' is not supported.");
      }
    }
    for (const std::string& member : parsed.expression().states_members()) {
      const bool misplaced = (member == "errorOutput" && where != Place::in_catch) ||
                             (member == "result" && where != Place::after_result);
      if (misplaced) {
        report("UNSUPPORTED_JSONATA_EXPRESSION",
               "Reference to '$states." + member + "' is not supported in this field.");
      }
    }
  } catch (const jsonata::Error& error) {
    report("INVALID_JSONATA_EXPRESSION", error.what());
  }
}

void FieldChecker::check_payload(const json::value& value, const std::string& field, Place where) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      const std::string key = member.key();
      const std::string place = field_member(field, key);
      if (language_ == QueryLanguage::json_path && key.ends_with(".$")) {
        try {
          json::object single;
          single[key] = member.value();
          (void)Payload::compile(std::move(single), language_, field);
        } catch (const base::Error&) {
          problem("The value for the field '" + key +
                      "' must be a valid JSONPath or a valid intrinsic function call",
                  place);
        }
      } else {
        check_payload(member.value(), place, where);
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      check_payload((*array)[i], field_item(field, i), where);
    }
  } else if (const auto* text = value.if_string()) {
    check_text_value(*text, field, where);
  }
}

void FieldChecker::check_text_value(std::string_view text, const std::string& field, Place where) {
  if (language_ == QueryLanguage::jsonata) {
    if (QueryExpression::is_one(text)) check_expression(text, field, where);
    return;
  }
  const bool looks_dynamic =
      text.starts_with("$.") || text.starts_with("$$.") || Intrinsic::looks_like(text);
  if (looks_dynamic) {
    report_({"NO_DOLLAR",
             "The value looks like a JSONPath or an intrinsic function call, but the name of the "
             "field does not end with '.$', so that it is taken as text",
             at_ + "/" + field, Severity::warning});
  }
}

void FieldChecker::check_seconds(const json::object& state, std::string_view key,
                                 std::int64_t least, std::int64_t most, const std::string& prefix) {
  const auto* value = state.if_contains(key);
  if (value == nullptr) return;
  const std::string field = prefix + std::string(key);
  const auto* text = value->if_string();
  if (text != nullptr && language_ == QueryLanguage::jsonata && QueryExpression::is_one(*text)) {
    check_expression(*text, field, Place::plain);
    return;
  }
  const bool whole = value->is_int64();
  if (!whole && !(key == "ToleratedFailurePercentage" && value->is_number())) {
    problem("Expected value of type [INTEGER]", field);
    return;
  }
  const auto number = value->to_number<double>();
  if (number < static_cast<double>(least) || number > static_cast<double>(most)) {
    problem("Value must be between " + std::to_string(least) + " and " + std::to_string(most),
            field);
  }
}

void FieldChecker::check_pair(const json::object& state, std::string_view key) {
  const std::string twin = std::string(key) + "Path";
  if (state.contains(key) && state.contains(twin)) {
    problem("Only one of '" + std::string(key) + "' and '" + twin + "' may be used", twin);
  }
  check_path(state, twin, PathKind::reference);
}

void FieldChecker::check_text(const json::object& state, std::string_view key, bool timestamp) {
  const auto* value = state.if_contains(key);
  if (value == nullptr) return;
  const std::string field(key);
  const auto* text = value->if_string();
  if (text == nullptr) {
    problem("Expected value of type [STRING]", field);
  } else if (language_ == QueryLanguage::jsonata && QueryExpression::is_one(*text)) {
    check_expression(*text, field, Place::plain);
  } else if (timestamp && !parse_rfc3339(*text)) {
    problem("String does not match RFC3339 timestamp", field);
  }
}

void FieldChecker::check_assign(const json::object& object, const std::string& prefix,
                                Place where) {
  const auto* assign = object.if_contains("Assign");
  if (assign == nullptr) return;
  const std::string field = prefix + "Assign";
  if (!assign->is_object()) {
    problem("Expected value of type [OBJECT]", field);
    return;
  }
  for (const auto& member : assign->get_object()) {
    std::string_view name = member.key();
    if (language_ == QueryLanguage::json_path && name.ends_with(".$")) name.remove_suffix(2);
    if (name.empty() || name.size() > 80 || name == "states") {
      problem("Variable names must be 1 to 80 characters long and must not be 'states'",
              field_member(field, member.key()));
    }
  }
  check_payload(*assign, field, where);
}

void FieldChecker::check_static_result(const json::object& state) {
  const auto* result = state.if_contains("Result");
  const auto* object = result != nullptr ? result->if_object() : nullptr;
  if (object == nullptr) return;
  for (const auto& member : *object) {
    if (!member.key().ends_with(".$")) continue;
    report_({"PASS_RESULT_IS_STATIC",
             "The Result of a Pass state is taken as it stands; use Parameters to compute '" +
                 std::string(member.key()) + "'",
             at_ + "/Result/" + std::string(member.key()), Severity::warning});
  }
}

void FieldChecker::check_wait(const json::object& state) {
  std::size_t given = 0;
  for (const std::string_view key : {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}) {
    if (state.contains(key)) ++given;
  }
  if (given != 1) {
    report_({std::string(kSchema),
             "A Wait state must have exactly one of 'Seconds', 'SecondsPath', 'Timestamp' and "
             "'TimestampPath'",
             at_});
  }
  check_seconds(state, "Seconds", 0, kMostSeconds);
  check_path(state, "SecondsPath", PathKind::reference);
  check_text(state, "Timestamp", true);
  check_path(state, "TimestampPath", PathKind::reference);
}

void FieldChecker::check_map(const json::object& state) {
  check_path(state, "ItemsPath", PathKind::any);
  for (const std::string_view key : {"ItemSelector", "Items"}) {
    if (const auto* value = state.if_contains(key)) check_payload(*value, std::string(key));
  }
  check_seconds(state, "MaxConcurrency", 0, kMostSeconds);
  check_pair(state, "MaxConcurrency");
  check_seconds(state, "ToleratedFailureCount", 0, kMostSeconds);
  check_pair(state, "ToleratedFailureCount");
  check_seconds(state, "ToleratedFailurePercentage", 0, 100);
  check_pair(state, "ToleratedFailurePercentage");
  const std::string_view parameters =
      language_ == QueryLanguage::jsonata ? "Arguments" : "Parameters";
  for (const std::string_view part : {"ItemReader", "ResultWriter"}) {
    const auto* value = state.if_contains(part);
    if (value == nullptr || !value->is_object()) continue;
    if (const auto* payload = value->get_object().if_contains(parameters)) {
      check_payload(*payload, std::string(part) + "/" + std::string(parameters));
    }
    const auto* config = value->get_object().if_contains("ReaderConfig");
    if (config != nullptr && config->is_object()) {
      const std::string prefix = std::string(part) + "/ReaderConfig/";
      check_seconds(config->get_object(), "MaxItems", 0, 100'000'000, prefix);
      check_path(config->get_object(), "MaxItemsPath", PathKind::reference, prefix);
    }
  }
  const auto* batcher = state.if_contains("ItemBatcher");
  if (batcher == nullptr || !batcher->is_object()) return;
  const json::object& object = batcher->get_object();
  check_seconds(object, "MaxItemsPerBatch", 1, kMostSeconds, "ItemBatcher/");
  check_seconds(object, "MaxInputBytesPerBatch", 1, kMostSeconds, "ItemBatcher/");
  check_path(object, "MaxItemsPerBatchPath", PathKind::reference, "ItemBatcher/");
  check_path(object, "MaxInputBytesPerBatchPath", PathKind::reference, "ItemBatcher/");
  if (const auto* input = object.if_contains("BatchInput")) {
    check_payload(*input, "ItemBatcher/BatchInput");
  }
}

void FieldChecker::check_state(const json::object& state, std::string_view type) {
  const bool has_result = type == "Task" || type == "Parallel" || type == "Map";
  const Place result = has_result ? Place::after_result : Place::plain;
  if (language_ == QueryLanguage::json_path) {
    check_path(state, "InputPath", PathKind::any);
    check_path(state, "OutputPath", PathKind::any);
    check_path(state, "ResultPath", PathKind::reference);
    for (const std::string_view key : {"Parameters", "ResultSelector"}) {
      if (const auto* value = state.if_contains(key)) check_payload(*value, std::string(key));
    }
  } else {
    if (const auto* value = state.if_contains("Arguments")) check_payload(*value, "Arguments");
    if (const auto* value = state.if_contains("Output")) check_payload(*value, "Output", result);
  }
  check_assign(state, "", result);
  if (type == "Task") {
    check_seconds(state, "TimeoutSeconds", 1, kMostSeconds);
    check_pair(state, "TimeoutSeconds");
    check_seconds(state, "HeartbeatSeconds", 1, kMostSeconds);
    check_pair(state, "HeartbeatSeconds");
    const auto* timeout = state.if_contains("TimeoutSeconds");
    const auto* heartbeat = state.if_contains("HeartbeatSeconds");
    if (timeout != nullptr && heartbeat != nullptr && timeout->is_int64() &&
        heartbeat->is_int64() && heartbeat->get_int64() >= timeout->get_int64()) {
      problem("HeartbeatSeconds must be smaller than TimeoutSeconds", "HeartbeatSeconds");
    }
    if (const auto* credentials = state.if_contains("Credentials")) {
      check_payload(*credentials, "Credentials");
    }
  } else if (type == "Pass") {
    check_static_result(state);
  } else if (type == "Wait") {
    check_wait(state);
  } else if (type == "Fail") {
    for (const std::string_view key : {"Error", "Cause"}) {
      check_text(state, key, false);
      const std::string twin = std::string(key) + "Path";
      if (state.contains(key) && state.contains(twin)) {
        problem("Only one of '" + std::string(key) + "' and '" + twin + "' may be used", twin);
      }
      check_path(state, twin, PathKind::any);
    }
  } else if (type == "Map") {
    check_map(state);
  }
  check_list(state, "Catch", Place::in_catch);
  check_list(state, "Choices", Place::plain);
}

void FieldChecker::check_list(const json::object& state, std::string_view key, Place where) {
  const auto* list = state.if_contains(key);
  if (list == nullptr || !list->is_array()) return;
  for (std::size_t i = 0; i < list->get_array().size(); ++i) {
    const auto* object = list->get_array()[i].if_object();
    if (object == nullptr) continue;
    const std::string prefix = field_item(std::string(key), i) + "/";
    check_assign(*object, prefix, where);
    if (const auto* output = object->if_contains("Output")) {
      check_payload(*output, prefix + "Output", where);
    }
    if (const auto* condition = object->if_contains("Condition");
        condition != nullptr && language_ == QueryLanguage::jsonata) {
      const auto* text = condition->if_string();
      if (text != nullptr && QueryExpression::is_one(*text)) {
        check_expression(*text, prefix + "Condition", Place::plain);
      } else if (!condition->is_bool()) {
        problem("The field 'Condition' must be a JSONata expression", prefix + "Condition");
      }
    }
    check_path(*object, "ResultPath", PathKind::reference, prefix);
  }
}

}  // namespace andon::asl
