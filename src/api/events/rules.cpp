// SPDX-License-Identifier: Apache-2.0
// Rules, and whether a pattern takes an event.
#include "api/events/rows.hpp"
#include "api/table/internal_call.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "events/pattern/pattern.hpp"

namespace andon::api::event_rows {
namespace {

constexpr std::string_view kEnabled = "ENABLED";

std::string name_of(const OperationContext& context) {
  return *maybe_text(context.input, "Name");
}

// A pattern that is none has a name of its own.
void check_pattern(const std::string& text) {
  try {
    const events::Pattern pattern(text);
  } catch (const base::Error& error) {
    throw ServiceError(400, "InvalidEventPatternException", error.message());
  }
}

json::object describe(const EventParts& parts, const events::Rule& rule) {
  json::object told{{"Name", rule.name},
                    {"Arn", parts.queue.arns().rule(rule.bus, rule.name)},
                    {"State", rule.is_enabled ? kEnabled : "DISABLED"},
                    {"EventBusName", rule.bus}};
  put_unless_empty(told, "EventPattern", rule.pattern);
  put_unless_empty(told, "ScheduleExpression", rule.schedule);
  put_unless_empty(told, "Description", rule.description);
  put_unless_empty(told, "RoleArn", rule.role);
  return told;
}

json::value put(const EventParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  events::Rule rule{.bus = read_bus(input),
                    .name = name_of(context),
                    .description = maybe_text(input, "Description").value_or(""),
                    .is_enabled = maybe_text(input, "State").value_or("ENABLED") == kEnabled,
                    .pattern = maybe_text(input, "EventPattern").value_or(""),
                    .schedule = maybe_text(input, "ScheduleExpression").value_or(""),
                    .role = maybe_text(input, "RoleArn").value_or("")};
  if (!rule.pattern.empty()) check_pattern(rule.pattern);
  const std::string arn = parts.queue.arns().rule(rule.bus, rule.name);
  if (!rule.role.empty()) {
    require_pass_role(parts.authorizer, context.caller, Protocol::aws_json_1_1, rule.role,
                      control::kEventsService, arn);
  }
  control::TagMap tags;
  const base::JsonReader reader(input, "", {.separator = ": "});
  for (const base::JsonReader& tag : reader.children("Tags")) {
    tags[tag.required_text("Key")] = tag.string("Value");
  }
  parts.rules.put(rule);
  // Tags count where the rule is made; TagResource changes them.
  if (!tags.empty() && parts.tags.of(arn).empty()) parts.tags.set(arn, tags);
  parts.wake();
  return json::object{{"RuleArn", arn}};
}

json::value describe_rule(const EventParts& parts, const OperationContext& context) {
  json::object told = describe(parts, parts.rules.rule(read_bus(context.input), name_of(context)));
  told["CreatedBy"] = parts.arns.account();
  return told;
}

json::value list(const EventParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto rules = parts.rules.rules(read_bus(context.input),
                                 maybe_text(context.input, "NamePrefix").value_or(""), page.after,
                                 page.limit + 1);
  json::object output{{"Rules", json::array()}};
  end_page(output, page, rules, [](const events::Rule& rule) { return rule.name; });
  for (const events::Rule& rule : rules) {
    output["Rules"].as_array().push_back(describe(parts, rule));
  }
  return output;
}

json::value enable(const EventParts& parts, const OperationContext& context) {
  parts.rules.enable(read_bus(context.input), name_of(context), true);
  parts.wake();
  return nullptr;
}

json::value disable(const EventParts& parts, const OperationContext& context) {
  parts.rules.enable(read_bus(context.input), name_of(context), false);
  return nullptr;
}

json::value remove(const EventParts& parts, const OperationContext& context) {
  const std::string bus = read_bus(context.input);
  parts.rules.remove(bus, name_of(context));
  const std::string arn = parts.queue.arns().rule(bus, name_of(context));
  std::vector<std::string> keys;
  for (const auto& [key, value] : parts.tags.of(arn)) keys.push_back(key);
  parts.tags.remove(arn, keys);
  return nullptr;
}

json::value test_pattern(const EventParts& /*parts*/, const OperationContext& context) {
  const std::string pattern = *maybe_text(context.input, "EventPattern");
  check_pattern(pattern);
  json::value event;
  try {
    event = base::parse_json(*maybe_text(context.input, "Event"), "Event", {.max_depth = 1000});
  } catch (const base::Error&) {
    throw base::Error(base::ErrorCode::invalid_argument, "Parameter Event is not valid.");
  }
  const auto* object = event.if_object();
  if (object == nullptr) {
    throw base::Error(base::ErrorCode::invalid_argument, "Parameter Event is not valid.");
  }
  for (const char* key :
       {"id", "account", "source", "time", "region", "resources", "detail-type"}) {
    if (!object->contains(key)) {
      throw base::Error(
          base::ErrorCode::invalid_argument,
          "Parameter Event is not valid. Reason: the field " + std::string(key) + " is missing.");
    }
  }
  return json::object{{"Result", events::Pattern(pattern).matches(*object)}};
}

}  // namespace

std::vector<Operation> rule_rows(const EventParts& parts) {
  const MemberRule name = needed(text("Name", 1, 64));
  const MemberRule bus = bus_rule();
  return {row(parts, "PutRule",
              {name, bus, text("ScheduleExpression", 0, 256), text("EventPattern", 0, 4096),
               word("State", {"ENABLED", "DISABLED"}), text("Description", 0, 512),
               text("RoleArn", 1, 1600), list_rule("Tags")},
              put),
          row(parts, "DescribeRule", {name, bus}, describe_rule),
          row(parts, "ListRules", with_page({text("NamePrefix", 1, 64), bus}), list),
          row(parts, "EnableRule", {name, bus}, enable),
          row(parts, "DisableRule", {name, bus}, disable),
          row(parts, "DeleteRule", {name, bus, flag_rule("Force")}, remove),
          row(parts, "TestEventPattern",
              {needed(text("EventPattern", 0, 4096)), needed(text("Event", 0, 1'048'576))},
              test_pattern)};
}

}  // namespace andon::api::event_rows
