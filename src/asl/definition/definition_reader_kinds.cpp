// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "asl/definition/definition_reader.hpp"

namespace andon::asl {

StateKind DefinitionReader::read_kind(State& state, StateType type, const json::object& source,
                                      FieldReader& fields, const json::object& states,
                                      std::size_t nesting) {
  switch (type) {
    case StateType::task:
      return read_task(source, fields);
    case StateType::pass:
      return read_pass(source, fields);
    case StateType::choice:
      return read_choices(source, fields, states);
    case StateType::wait:
      return read_wait(source, fields);
    case StateType::succeed:
      return SucceedState{};
    case StateType::fail:
      return FailState{fields.text(source, "Error", FieldReader::PathKind::any),
                       fields.text(source, "Cause", FieldReader::PathKind::any)};
    case StateType::parallel:
      return read_parallel(source, fields.at(), nesting);
    case StateType::map:
      return read_map(state, source, fields, nesting);
  }
  return PassState{};
}

TaskState DefinitionReader::read_task(const json::object& source, FieldReader& fields) {
  TaskState task;
  task.timeout = fields.number(source, "TimeoutSeconds", {.least = 1});
  task.heartbeat = fields.number(source, "HeartbeatSeconds", {.least = 1});
  const auto* timeout = std::get_if<json::value>(&task.timeout.source);
  const auto* heartbeat = std::get_if<json::value>(&task.heartbeat.source);
  if (timeout != nullptr && heartbeat != nullptr &&
      heartbeat->get_int64() >= timeout->get_int64()) {
    problems_.schema("HeartbeatSeconds must be smaller than TimeoutSeconds",
                     fields.at() + "/HeartbeatSeconds");
  }
  const auto* credentials = source.if_contains("Credentials");
  const auto* text = credentials != nullptr ? credentials->if_string() : nullptr;
  const bool computed = fields.jsonata() && text != nullptr && QueryExpression::is_one(*text);
  if (!computed) (void)problems_.typed(source, "Credentials", Type::object, fields.at());
  task.credentials = fields.payload(source, "Credentials");
  task.resource = read_resource(source, fields.at());
  return task;
}

Resource DefinitionReader::read_resource(const json::object& source, const std::string& at) {
  if (!problems_.require_fields(source, {"Resource"}, at)) return {};
  const auto* value = problems_.typed(source, "Resource", Type::text, at);
  if (value == nullptr) return {};
  const std::string_view arn = value->get_string();
  const std::string place = at + "/Resource";
  if (!arn.starts_with("arn:") || std::ranges::count(arn, ':') < 5) {
    problems_.schema("Value is not a valid resource ARN", place);
  }
  if (problems_.express()) {
    for (const std::string_view pattern : {".waitForTaskToken", ".sync"}) {
      if (arn.find(pattern) == std::string_view::npos) continue;
      problems_.schema("Express state machine does not support '" + std::string(pattern) +
                           "' service integration ",
                       place);
    }
    if (arn.find(":activity:") != std::string_view::npos) {
      problems_.schema("Express state machine does not support Activity ARN", place);
    }
  }
  return Resource::parse(arn);
}

PassState DefinitionReader::read_pass(const json::object& source, FieldReader& fields) {
  const auto* result = source.if_contains("Result");
  if (result == nullptr) return {};
  if (const auto* object = result->if_object()) {
    for (const auto& member : *object) {
      if (!member.key().ends_with(".$")) continue;
      const std::string key = member.key();
      problems_.report(
          "PASS_RESULT_IS_STATIC",
          "The Result of a Pass state is taken as it stands; use Parameters to compute '" + key +
              "'",
          fields.at() + "/Result/" + key, Severity::warning);
    }
  }
  return {Payload::literal(*result)};
}

WaitState DefinitionReader::read_wait(const json::object& source, FieldReader& fields) {
  const Names ways = {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"};
  if (std::ranges::count_if(ways, [&](auto key) { return source.contains(key); }) != 1) {
    problems_.schema(
        "A Wait state must have exactly one of 'Seconds', 'SecondsPath', 'Timestamp' and "
        "'TimestampPath'",
        fields.at());
  }
  return {fields.number(source, "Seconds", {}), fields.timestamp(source, "Timestamp")};
}

ParallelState DefinitionReader::read_parallel(const json::object& source, const std::string& at,
                                              std::size_t nesting) {
  ParallelState parallel;
  if (!problems_.require_fields(source, {"Branches"}, at)) return parallel;
  const auto* branches = problems_.typed(source, "Branches", Type::list, at);
  if (branches == nullptr) return parallel;
  const json::array& list = branches->get_array();
  if (list.empty()) problems_.schema("Array should have at least 1 item(s)", at + "/Branches");
  std::set<std::string>* const own = targets_;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = at + "/Branches[" + std::to_string(i) + "]";
    if (const auto* branch = list[i].if_object()) {
      problems_.check_known(*branch, {"Comment", "StartAt", "States"}, place);
      parallel.branches.push_back(read_flow(*branch, place, nesting + 1));
    } else {
      problems_.schema("Expected value of type [OBJECT]", place);
    }
  }
  targets_ = own;
  return parallel;
}

}  // namespace andon::asl
