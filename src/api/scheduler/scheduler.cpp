// SPDX-License-Identifier: Apache-2.0
#include "api/scheduler/scheduler.hpp"

#include <cmath>
#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/members.hpp"
#include "api/tasks/sdk/sdk_names.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "events/rules/target_kind.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using events::Schedule;
using events::TargetKind;
using namespace rules;

using Work = json::value (*)(const SchedulerParts&, const OperationContext&);

Operation row(const SchedulerParts& parts, std::string_view name, std::string_view method,
              std::string_view path, std::vector<MemberRule> rules, Work work) {
  return {"scheduler",
          name,
          Protocol::rest_json,
          method,
          path,
          200,
          [parts, rules = std::move(rules), work](const OperationContext& context) {
            check_members(context.input, rules);
            return work(parts, context);
          }};
}

std::string name_of(const json::object& input) {
  return *maybe_text(input, "Name");
}

// In a query it is groupName.
std::string group_of(const json::object& input) {
  const auto queried = maybe_text(input, "groupName");
  return queried ? *queried
                 : maybe_text(input, "GroupName").value_or(std::string(events::kDefaultGroup));
}

json::object object_of(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  return value == nullptr || value->is_null() ? json::object() : value->as_object();
}

std::optional<base::Timestamp> time_of(const json::object& input, std::string_view key) {
  const auto* value = input.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  constexpr double kThousand = 1000;
  constexpr double kLatest = 253'402'300'799;
  if (value->is_number() && value->to_number<double>() >= 0 &&
      value->to_number<double>() <= kLatest) {
    return base::from_epoch_millis(std::llround(value->to_number<double>() * kThousand));
  }
  const auto time = value->is_string() ? base::parse_iso8601(value->get_string())
                                       : std::optional<base::Timestamp>();
  if (!time) throw Error(ErrorCode::invalid_argument, std::string(key) + " is no time");
  return time;
}

void check_operation(const SchedulerParts& parts, const std::string& resource) {
  const std::size_t colon = resource.find(':');
  const SdkService* service = find_sdk_service(resource.substr(0, colon));
  const std::string operation =
      colon == std::string::npos ? "" : operation_of_action(resource.substr(colon + 1));
  // Their input holds secrets, which would stand in the schedule.
  const bool has_secrets = operation == "CreateConnection" || operation == "UpdateConnection";
  if (service == nullptr || has_secrets || !parts.has_operation(service->scope, operation)) {
    throw Error(ErrorCode::invalid_argument,
                "Invalid RequestJson provided. Reason The API '" + resource.substr(0, 100) +
                    "' is not one that schedules can call on this server.");
  }
}

json::object read_target(const SchedulerParts& parts, const OperationContext& context,
                         const std::string& schedule_arn) {
  json::object target = object_of(context.input, "Target");
  check_members(target, {needed(text("Arn", 1, 1600)), needed(text("RoleArn", 1, 1600)),
                         text("Input", 1, 262'144), object_rule("EventBridgeParameters"),
                         object_rule("RetryPolicy"), object_rule("DeadLetterConfig")});
  check_members(object_of(target, "RetryPolicy"), {number("MaximumRetryAttempts", 0, 185),
                                                   number("MaximumEventAgeInSeconds", 60, 86'400)});
  const std::string arn = *maybe_text(target, "Arn");
  const auto ref = events::target_ref(arn);
  const bool is_servers_topic =
      ref && ref->kind == TargetKind::topic &&
      (ref->resource.starts_with('$') || ref->resource.find_first_of("+#") != std::string::npos);
  if (!ref || ref->kind == TargetKind::api_destination || is_servers_topic) {
    throw Error(ErrorCode::invalid_argument, "Provided Arn is not in correct format: '" +
                                                 arn.substr(0, 200) +
                                                 "' is no target of schedules on this server");
  }
  if (ref->kind == TargetKind::operation) check_operation(parts, ref->resource);
  const bool has_event = target.contains("EventBridgeParameters");
  if (has_event != (ref->kind == TargetKind::bus)) {
    throw Error(ErrorCode::invalid_argument,
                has_event ? "EventBridgeParameters are of an event bus as the target"
                          : "EventBridgeParameters are required for an event bus");
  }
  check_members(object_of(target, "EventBridgeParameters"),
                has_event ? std::vector<MemberRule>{needed(text("DetailType", 1, 128)),
                                                    needed(text("Source", 1, 256))}
                          : std::vector<MemberRule>{});
  if (const auto input = maybe_text(target, "Input");
      input && (has_event || ref->kind == TargetKind::operation)) {
    try {
      (void)base::parse_json(*input, "Input", {.max_depth = 500}).as_object();
    } catch (const std::exception&) {
      throw Error(ErrorCode::invalid_argument,
                  "Invalid RequestJson provided. Reason The Input "
                  "must be a JSON object.");
    }
  }
  const auto letter = maybe_text(object_of(target, "DeadLetterConfig"), "Arn");
  const auto letter_ref = letter ? events::target_ref(*letter) : std::nullopt;
  if (letter && (!letter_ref || !events::may_be_dead_letter(letter_ref->kind))) {
    throw Error(ErrorCode::unsupported,
                "DeadLetterConfig.Arn: this server has no queues; give a log group or an MQTT "
                "topic (arn:aws:iot:REGION:ACCOUNT:topic/NAME)");
  }
  require_pass_role(parts.authorizer, context.caller, Protocol::rest_json,
                    *maybe_text(target, "RoleArn"), control::kSchedulerService, schedule_arn);
  return target;
}

Schedule read_schedule(const SchedulerParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const json::object window = object_of(input, "FlexibleTimeWindow");
  check_members(window, {needed(word("Mode", {"OFF", "FLEXIBLE"})),
                         number("MaximumWindowInMinutes", 1, 1440)});
  const bool is_flexible = maybe_text(window, "Mode") == "FLEXIBLE";
  const auto minutes = optional_number(window, "MaximumWindowInMinutes");
  if (is_flexible != minutes.has_value()) {
    throw Error(ErrorCode::invalid_argument,
                "FlexibleTimeWindow.MaximumWindowInMinutes belongs to mode FLEXIBLE, which needs "
                "it");
  }
  Schedule schedule{
      .group = group_of(input),
      .name = name_of(input),
      .description = maybe_text(input, "Description").value_or(""),
      .expression = *maybe_text(input, "ScheduleExpression"),
      .zone = maybe_text(input, "ScheduleExpressionTimezone").value_or("UTC"),
      .start = time_of(input, "StartDate"),
      .end = time_of(input, "EndDate"),
      .is_enabled = maybe_text(input, "State").value_or("ENABLED") == "ENABLED",
      .goes_when_done = maybe_text(input, "ActionAfterCompletion").value_or("NONE") == "DELETE",
      .window = std::chrono::minutes(minutes.value_or(0)),
      .target = {}};
  schedule.target = read_target(parts, context, parts.arns.schedule(schedule.group, schedule.name));
  return schedule;
}

json::value create(const SchedulerParts& parts, const OperationContext& context) {
  const Schedule schedule = read_schedule(parts, context);
  parts.schedules.create(schedule, maybe_text(context.input, "ClientToken").value_or(""));
  parts.wake();
  return json::object{{"ScheduleArn", parts.arns.schedule(schedule.group, schedule.name)}};
}

json::value update(const SchedulerParts& parts, const OperationContext& context) {
  const Schedule schedule = read_schedule(parts, context);
  parts.schedules.update(schedule);
  parts.wake();
  return json::object{{"ScheduleArn", parts.arns.schedule(schedule.group, schedule.name)}};
}

// What lists have, too.
json::object outline(const SchedulerParts& parts, const Schedule& schedule) {
  return {{"Arn", parts.arns.schedule(schedule.group, schedule.name)},
          {"Name", schedule.name},
          {"GroupName", schedule.group},
          {"State", schedule.is_enabled ? "ENABLED" : "DISABLED"},
          {"CreationDate", base::to_epoch_seconds(schedule.created)},
          {"LastModificationDate", base::to_epoch_seconds(schedule.modified)}};
}

json::value get(const SchedulerParts& parts, const OperationContext& context) {
  const Schedule schedule =
      parts.schedules.schedule(group_of(context.input), name_of(context.input));
  json::object told = outline(parts, schedule);
  told["ScheduleExpression"] = schedule.expression;
  told["ScheduleExpressionTimezone"] = schedule.zone;
  put_unless_empty(told, "Description", schedule.description);
  if (schedule.start) told["StartDate"] = base::to_epoch_seconds(*schedule.start);
  if (schedule.end) told["EndDate"] = base::to_epoch_seconds(*schedule.end);
  json::object window{{"Mode", schedule.window.count() > 0 ? "FLEXIBLE" : "OFF"}};
  if (schedule.window.count() > 0) window["MaximumWindowInMinutes"] = schedule.window.count();
  told["FlexibleTimeWindow"] = std::move(window);
  told["ActionAfterCompletion"] = schedule.goes_when_done ? "DELETE" : "NONE";
  json::object target = schedule.target;
  const events::RetryPolicy retry = events::retry_policy(target);
  target["RetryPolicy"] = json::object{{"MaximumEventAgeInSeconds", retry.most_age.count()},
                                       {"MaximumRetryAttempts", retry.most_attempts}};
  told["Target"] = std::move(target);
  return told;
}

json::value remove(const SchedulerParts& parts, const OperationContext& context) {
  parts.schedules.remove(group_of(context.input), name_of(context.input));
  return json::object{};
}

struct PageOf {
  std::size_t limit;
  std::string after;
};
PageOf read_page(const json::object& input) {
  const auto limit = optional_number(input, "MaxResults").value_or(100);
  if (limit < 1 || limit > 100) {
    throw Error(ErrorCode::invalid_argument, "MaxResults must be from 1 to 100");
  }
  PageOf page{static_cast<std::size_t>(limit), {}};
  if (const auto token = maybe_text(input, "NextToken")) {
    const auto after = from_page_token(*token);
    if (!after) {
      throw Error(ErrorCode::invalid_argument, "NextToken is not one that a list gave");
    }
    page.after = *after;
  }
  return page;
}

json::value list(const SchedulerParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const PageOf page = read_page(input);
  events::Schedules::Filter filter{.group = maybe_text(input, "ScheduleGroup").value_or(""),
                                   .prefix = maybe_text(input, "NamePrefix").value_or(""),
                                   .is_enabled = {}};
  if (const auto state = maybe_text(input, "State")) filter.is_enabled = *state == "ENABLED";
  const std::size_t slash = page.after.find('/');
  const std::string after_group = page.after.substr(0, slash);
  const std::string after_name = slash == std::string::npos ? "" : page.after.substr(slash + 1);
  auto all = parts.schedules.list(filter, after_group, after_name, page.limit + 1);
  json::object output{{"Schedules", json::array()}};
  if (all.size() > page.limit) {
    all.resize(page.limit);
    output["NextToken"] = to_page_token(all.back().group + "/" + all.back().name);
  }
  for (const Schedule& schedule : all) {
    json::object told = outline(parts, schedule);
    told["Target"] = json::object{{"Arn", schedule.target.at("Arn")}};
    output["Schedules"].as_array().push_back(std::move(told));
  }
  return output;
}

control::TagMap read_tags(const json::object& input) {
  control::TagMap tags;
  const base::JsonReader reader(input, "", {.separator = ": "});
  for (const base::JsonReader& tag : reader.children("Tags")) {
    tags[tag.required_text("Key")] = tag.required_text("Value");
  }
  return tags;
}

json::value create_group(const SchedulerParts& parts, const OperationContext& context) {
  const std::string name = name_of(context.input);
  const auto tags = read_tags(context.input);
  parts.schedules.create_group(name, maybe_text(context.input, "ClientToken").value_or(""));
  const std::string arn = parts.arns.schedule_group(name);
  parts.tags.set(arn, tags);
  return json::object{{"ScheduleGroupArn", arn}};
}

json::object describe(const SchedulerParts& parts, const events::ScheduleGroup& group) {
  return {{"Arn", parts.arns.schedule_group(group.name)},
          {"Name", group.name},
          {"State", "ACTIVE"},
          {"CreationDate", base::to_epoch_seconds(group.created)},
          {"LastModificationDate", base::to_epoch_seconds(group.modified)}};
}

json::value get_group(const SchedulerParts& parts, const OperationContext& context) {
  return describe(parts, parts.schedules.group(name_of(context.input)));
}

json::value remove_group(const SchedulerParts& parts, const OperationContext& context) {
  const std::string name = name_of(context.input);
  parts.schedules.remove_group(name);
  const std::string arn = parts.arns.schedule_group(name);
  std::vector<std::string> keys;
  for (const auto& [key, value] : parts.tags.of(arn)) keys.push_back(key);
  parts.tags.remove(arn, keys);
  return json::object{};
}

json::value list_groups(const SchedulerParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto all = parts.schedules.groups(maybe_text(context.input, "NamePrefix").value_or(""),
                                    page.after, page.limit + 1);
  json::object output{{"ScheduleGroups", json::array()}};
  if (all.size() > page.limit) {
    all.resize(page.limit);
    output["NextToken"] = to_page_token(all.back().name);
  }
  for (const auto& group : all) {
    output["ScheduleGroups"].as_array().push_back(describe(parts, group));
  }
  return output;
}

// Of a group that is there: schedules have no tags, as at AWS.
std::string tagged(const SchedulerParts& parts, const json::object& input) {
  constexpr std::string_view kKind = ":schedule-group/";
  const std::string arn = *maybe_text(input, "ResourceArn");
  const std::size_t at = arn.find(kKind);
  if (at == std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "ResourceArn must be that of a schedule group");
  }
  return parts.arns.schedule_group(parts.schedules.group(arn.substr(at + kKind.size())).name);
}

json::value tag(const SchedulerParts& parts, const OperationContext& context) {
  parts.tags.set(tagged(parts, context.input), read_tags(context.input));
  return json::object{};
}

json::value untag(const SchedulerParts& parts, const OperationContext& context) {
  // One key of the query is a text, several are a list.
  std::vector<std::string> keys;
  const json::value& given = context.input.at("TagKeys");
  if (given.is_string()) {
    keys.emplace_back(given.get_string());
  } else {
    keys = base::JsonReader(context.input, "", {.separator = ": "}).strings("TagKeys");
  }
  parts.tags.remove(tagged(parts, context.input), keys);
  return json::object{};
}

json::value list_tags(const SchedulerParts& parts, const OperationContext& context) {
  json::array tags;
  for (const auto& [key, value] : parts.tags.of(tagged(parts, context.input))) {
    tags.push_back(json::object{{"Key", key}, {"Value", value}});
  }
  return json::object{{"Tags", std::move(tags)}};
}

}  // namespace

std::vector<Operation> scheduler_operations(const SchedulerParts& parts) {
  const MemberRule name = needed(text("Name", 1, 64));
  const MemberRule group = text("GroupName", 1, 64);
  const MemberRule token = text("ClientToken", 1, 64);
  const MemberRule queried_group = text("groupName", 1, 64);
  const MemberRule queried_token = text("clientToken", 1, 64);
  const MemberRule prefix = text("NamePrefix", 1, 64);
  const MemberRule next = text("NextToken", 1, 2048);
  const MemberRule arn = needed(text("ResourceArn", 1, 1011));
  const std::vector<MemberRule> schedule = {name,
                                            group,
                                            token,
                                            needed(text("ScheduleExpression", 1, 256)),
                                            text("ScheduleExpressionTimezone", 1, 50),
                                            text("Description", 0, 512),
                                            word("State", {"ENABLED", "DISABLED"}),
                                            needed(object_rule("Target")),
                                            needed(object_rule("FlexibleTimeWindow")),
                                            word("ActionAfterCompletion", {"NONE", "DELETE"})};
  return {row(parts, "CreateSchedule", "POST", "/schedules/{Name}", schedule, create),
          row(parts, "UpdateSchedule", "PUT", "/schedules/{Name}", schedule, update),
          row(parts, "GetSchedule", "GET", "/schedules/{Name}", {name, queried_group}, get),
          row(parts, "DeleteSchedule", "DELETE", "/schedules/{Name}",
              {name, queried_group, queried_token}, remove),
          row(parts, "ListSchedules", "GET", "/schedules",
              {text("ScheduleGroup", 1, 64), prefix, next, word("State", {"ENABLED", "DISABLED"})},
              list),
          row(parts, "CreateScheduleGroup", "POST", "/schedule-groups/{Name}",
              {name, token, list_rule("Tags")}, create_group),
          row(parts, "GetScheduleGroup", "GET", "/schedule-groups/{Name}", {name}, get_group),
          row(parts, "DeleteScheduleGroup", "DELETE", "/schedule-groups/{Name}",
              {name, queried_token}, remove_group),
          row(parts, "ListScheduleGroups", "GET", "/schedule-groups", {prefix, next}, list_groups),
          row(parts, "TagResource", "POST", "/tags/{ResourceArn}", {arn, needed(list_rule("Tags"))},
              tag),
          // TagKeys comes as a text or as a list.
          row(parts, "UntagResource", "DELETE", "/tags/{ResourceArn}", {arn}, untag),
          row(parts, "ListTagsForResource", "GET", "/tags/{ResourceArn}", {arn}, list_tags)};
}

}  // namespace andon::api
