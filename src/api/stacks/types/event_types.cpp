// SPDX-License-Identifier: Apache-2.0
// Rules and buses of EventBridge, schedules.
#include "api/stacks/types/resource_type.hpp"
#include "base/time/time.hpp"

namespace andon::api {
namespace {

using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 64;

std::string bus_of(const Work& work) {
  const std::string bus = work.text("EventBusName");
  if (bus == "default" || bus.ends_with("event-bus/default")) return {};
  return bus.substr(bus.rfind('/') + 1);
}

// As CloudFormation has it: the name, and on a bus of its own "bus|name".
std::string rule_id(const Work& work) {
  const std::string bus = bus_of(work);
  return (bus.empty() ? "" : bus + "|") + work.name("Name", kLongestName);
}

std::string rule_name(const Work& work) {
  return work.physical_id.substr(work.physical_id.find('|') + 1);
}

json::object rule_input(const Work& work, std::string_view name_member = "Name") {
  json::object input;
  input[name_member] = rule_name(work);
  if (const std::string bus = bus_of(work); !bus.empty()) input["EventBusName"] = bus;
  return input;
}

std::optional<json::object> find_rule(const Work& work) {
  const auto found = work.calls.find("events", "DescribeRule", rule_input(work));
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "Arn")}};
}

std::vector<std::string> target_ids(const json::value* targets) {
  std::vector<std::string> ids;
  if (targets == nullptr || !targets->is_array()) return ids;
  for (const json::value& one : targets->get_array()) ids.push_back(member_text(one, "Id"));
  return ids;
}

void put_targets(const Work& work, const json::object& before) {
  const auto* targets = work.get("Targets");
  const auto gone = without(target_ids(before.if_contains("Targets")), target_ids(targets));
  if (!gone.empty()) {
    json::object input = rule_input(work, "Rule");
    input["Ids"] = json::array(gone.begin(), gone.end());
    work.calls.call_unless_gone("events", "RemoveTargets", input);
  }
  if (targets != nullptr && targets->is_array() && !targets->get_array().empty() &&
      differs(before, work.properties, {"Targets"})) {
    json::object input = rule_input(work, "Rule");
    input["Targets"] = *targets;
    const auto answer = work.calls.call("events", "PutTargets", input);
    const auto* failed = member(answer, "FailedEntries");
    if (failed != nullptr && failed->is_array() && !failed->get_array().empty()) {
      const json::value& first = failed->get_array().front();
      throw base::Error(base::ErrorCode::invalid_argument,
                        "events:PutTargets: target " + member_text(first, "TargetId") + ": " +
                            member_text(first, "ErrorMessage"));
    }
  }
}

void put_rule(const Work& work) {
  json::object input = rule_input(work);
  for (const auto& [key, value] : work.pick(
           {"ScheduleExpression", "State", "Description", "RoleArn", "EventPattern", "Tags"})) {
    input[key] = value;
  }
  work.calls.call("events", "PutRule", input);
}

std::string create_rule(const Work& work) {
  put_rule(work);
  put_targets(work, {});
  return work.physical_id;
}

void update_rule(const Work& work, const json::object& before) {
  put_rule(work);
  put_targets(work, before);
}

void remove_rule(const Work& work) {
  if (const auto ids = target_ids(work.get("Targets")); !ids.empty()) {
    json::object input = rule_input(work, "Rule");
    input["Ids"] = json::array(ids.begin(), ids.end());
    work.calls.call_unless_gone("events", "RemoveTargets", input);
  }
  work.calls.call_unless_gone("events", "DeleteRule", rule_input(work));
}

std::string bus_name(const Work& work) {
  return work.name("Name", kLongestName);
}

std::optional<json::object> find_bus(const Work& work) {
  const auto found = work.calls.find("events", "DescribeEventBus", {{"Name", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "Arn")}, {"Name", work.physical_id}};
}

std::string create_bus(const Work& work) {
  json::object input = work.pick({"Description", "Tags"});
  input["Name"] = work.physical_id;
  work.calls.call("events", "CreateEventBus", input);
  return work.physical_id;
}

void update_bus(const Work& work, const json::object& /*before*/) {
  json::object input{{"Name", work.physical_id}};
  input["Description"] = work.text("Description");
  work.calls.call("events", "UpdateEventBus", input);
}

void remove_bus(const Work& work) {
  work.calls.call_unless_gone("events", "DeleteEventBus", {{"Name", work.physical_id}});
}

std::string schedule_name(const Work& work) {
  return work.name("Name", kLongestName);
}

json::object schedule_key(const Work& work) {
  json::object input{{"Name", work.physical_id}};
  if (const std::string group = work.text("GroupName"); !group.empty()) input["groupName"] = group;
  return input;
}

std::optional<json::object> find_schedule(const Work& work) {
  const auto found = work.calls.find("scheduler", "GetSchedule", schedule_key(work));
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "Arn")}};
}

json::object schedule_input(const Work& work) {
  json::object input = work.pick({"GroupName", "ScheduleExpression", "ScheduleExpressionTimezone",
                                  "Description", "State", "FlexibleTimeWindow", "Target"});
  input["Name"] = work.physical_id;
  for (const char* name : {"StartDate", "EndDate"}) {
    const std::string text = work.text(name);
    if (text.empty()) continue;
    const auto time = base::parse_iso8601(text);
    if (!time) {
      throw base::Error(base::ErrorCode::invalid_argument, std::string(name) + ": " + text +
                                                               " is no time such as "
                                                               "2026-11-22T10:00:00Z");
    }
    input[name] = base::to_epoch_seconds(*time);
  }
  return input;
}

std::string create_schedule(const Work& work) {
  work.calls.call("scheduler", "CreateSchedule", schedule_input(work));
  return work.physical_id;
}

void update_schedule(const Work& work, const json::object& /*before*/) {
  work.calls.call("scheduler", "UpdateSchedule", schedule_input(work));
}

void remove_schedule(const Work& work) {
  work.calls.call_unless_gone("scheduler", "DeleteSchedule", schedule_key(work));
}

std::optional<json::object> find_group(const Work& work) {
  const auto found = work.calls.find("scheduler", "GetScheduleGroup", {{"Name", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"Arn", member_text(*found, "Arn")}};
}

std::string create_group(const Work& work) {
  json::object input = work.pick({"Tags"});
  input["Name"] = work.physical_id;
  work.calls.call("scheduler", "CreateScheduleGroup", input);
  return work.physical_id;
}

void remove_group(const Work& work) {
  work.calls.call_unless_gone("scheduler", "DeleteScheduleGroup", {{"Name", work.physical_id}});
}

}  // namespace

std::vector<ResourceType> event_types() {
  return {
      {"AWS::Events::Rule",
       {{"Name", Kind::text, Change::replace},
        {"EventBusName", Kind::text, Change::replace},
        {"EventPattern", Kind::document},
        {"ScheduleExpression", Kind::text},
        {"State", Kind::text},
        {"Description", Kind::text},
        {"RoleArn", Kind::text},
        {"Targets"},
        {"Tags"}},
       "Name",
       rule_id,
       find_rule,
       create_rule,
       update_rule,
       remove_rule},
      {"AWS::Events::EventBus",
       {{"Name", Kind::text, Change::replace}, {"Description", Kind::text}, {"Tags"}},
       "Name",
       bus_name,
       find_bus,
       create_bus,
       update_bus,
       remove_bus},
      {"AWS::Scheduler::Schedule",
       {{"Name", Kind::text, Change::replace},
        {"GroupName", Kind::text, Change::replace},
        {"ScheduleExpression", Kind::text},
        {"ScheduleExpressionTimezone", Kind::text},
        {"StartDate", Kind::text},
        {"EndDate", Kind::text},
        {"Description", Kind::text},
        {"State", Kind::text},
        {"FlexibleTimeWindow"},
        {"Target"}},
       "Name",
       schedule_name,
       find_schedule,
       create_schedule,
       update_schedule,
       remove_schedule},
      {"AWS::Scheduler::ScheduleGroup",
       {{"Name", Kind::text, Change::replace}, {"Tags", Kind::any, Change::replace}},
       "Name",
       schedule_name,
       find_group,
       create_group,
       nullptr,
       remove_group},
  };
}

}  // namespace andon::api
