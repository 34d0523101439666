// SPDX-License-Identifier: Apache-2.0
// The targets of rules.
#include "api/events/rows.hpp"
#include "api/table/internal_call.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "events/rules/target_kind.hpp"

namespace andon::api::event_rows {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kKinds =
    "a state machine, a function, a build, a log group, an MQTT topic, an API destination, a mail "
    "address (arn:aws:andon:REGION:ACCOUNT:mail/ADDRESS) or an event bus";

void check_dead_letter(const json::object& target, const std::string& id) {
  const json::object config = object_of(target, "DeadLetterConfig");
  const auto arn = maybe_text(config, "Arn");
  if (!arn) return;
  const auto ref = events::target_ref(*arn);
  if (!ref || !events::may_be_dead_letter(ref->kind)) {
    throw Error(ErrorCode::unsupported,
                "DeadLetterConfig.Arn of target " + id +
                    ": this server has no queues; give a log group or an MQTT topic "
                    "(arn:aws:iot:REGION:ACCOUNT:topic/NAME)");
  }
}

void check_target(const EventParts& parts, const OperationContext& context, const std::string& bus,
                  const std::string& rule_arn, const json::object& target) {
  check_members(
      target,
      {needed(text("Id", 1, 64)), needed(text("Arn", 1, 1600)), text("RoleArn", 1, 1600),
       text("Input", 0, 8192), text("InputPath", 0, 256), object_rule("InputTransformer"),
       object_rule("HttpParameters"), object_rule("DeadLetterConfig"), object_rule("RetryPolicy")});
  check_members(object_of(target, "RetryPolicy"), {number("MaximumRetryAttempts", 0, 185),
                                                   number("MaximumEventAgeInSeconds", 60, 86'400)});
  const std::string arn = *maybe_text(target, "Arn");
  const std::string id = *maybe_text(target, "Id");
  const auto ref = events::target_ref(arn);
  if (!ref || ref->kind == events::TargetKind::operation) {
    throw Error(ErrorCode::invalid_argument, "Target " + id + ": '" + arn.substr(0, 200) +
                                                 "' is no target of this server: it must be " +
                                                 std::string(kKinds));
  }
  if (ref->kind == events::TargetKind::bus &&
      (bus != events::kDefaultBus || ref->resource == events::kDefaultBus)) {
    throw Error(ErrorCode::unsupported,
                "Target " + id +
                    ": only rules of the default bus forward, and only to another "
                    "one, so that no event goes round for ever");
  }
  // What begins with '$' is the broker's and the server's.
  if (ref->kind == events::TargetKind::topic &&
      (ref->resource.starts_with('$') || ref->resource.find_first_of("+#") != std::string::npos)) {
    throw Error(ErrorCode::invalid_argument, "Target " + id + ": '" + ref->resource.substr(0, 200) +
                                                 "' is no topic that events may be published to");
  }
  if (ref->kind == events::TargetKind::mail && !parts.may_mail(ref->resource)) {
    throw Error(ErrorCode::invalid_argument,
                "Target " + id + ": '" + ref->resource.substr(0, 200) +
                    "' gets no mails from this server: it has no --mail-server, or --mail-to does "
                    "not name the address");
  }
  const auto role = maybe_text(target, "RoleArn");
  if (events::needs_role(ref->kind) && !role) {
    throw Error(ErrorCode::invalid_argument, "RoleArn is required for target " + arn + ".");
  }
  if (role) {
    require_pass_role(parts.authorizer, context.caller, Protocol::aws_json_1_1, *role,
                      control::kEventsService, rule_arn);
  }
  check_dead_letter(target, id);
}

json::value put(const EventParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string bus = read_bus(input);
  const std::string rule = *maybe_text(input, "Rule");
  const std::string rule_arn = parts.queue.arns().rule(bus, rule);
  (void)parts.rules.rule(bus, rule);
  std::vector<json::object> targets;
  const base::JsonReader reader(input, "", {.separator = ": "});
  for (const base::JsonReader& target : reader.children("Targets")) {
    check_target(parts, context, bus, rule_arn, target.object());
    targets.push_back(target.object());
  }
  parts.rules.put_targets(bus, rule, targets);
  return json::object{{"FailedEntryCount", 0}, {"FailedEntries", json::array()}};
}

json::value remove(const EventParts& parts, const OperationContext& context) {
  const auto ids = base::JsonReader(context.input, "", {.separator = ": "}).strings("Ids");
  const auto unknown =
      parts.rules.remove_targets(read_bus(context.input), *maybe_text(context.input, "Rule"), ids);
  json::array failed;
  for (const std::string& id : unknown) {
    failed.push_back(json::object{{"TargetId", id},
                                  {"ErrorCode", "ResourceNotFoundException"},
                                  {"ErrorMessage", "Rule has no target with Id " + id + "."}});
  }
  const std::size_t count = failed.size();
  return json::object{{"FailedEntryCount", count}, {"FailedEntries", std::move(failed)}};
}

json::value list(const EventParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto targets = parts.rules.targets(read_bus(context.input), *maybe_text(context.input, "Rule"),
                                     page.after, page.limit + 1);
  json::object output{{"Targets", json::array()}};
  end_page(output, page, targets,
           [](const json::object& target) { return std::string(target.at("Id").as_string()); });
  for (json::object& target : targets) output["Targets"].as_array().push_back(std::move(target));
  return output;
}

json::value list_rule_names(const EventParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto names = parts.rules.rule_names_by_target(
      *maybe_text(context.input, "TargetArn"), read_bus(context.input), page.after, page.limit + 1);
  json::object output{{"RuleNames", json::array()}};
  end_page(output, page, names, [](const std::string& name) { return name; });
  for (const std::string& name : names) output["RuleNames"].as_array().emplace_back(name);
  return output;
}

}  // namespace

std::vector<Operation> target_rows(const EventParts& parts) {
  const MemberRule rule = needed(text("Rule", 1, 64));
  const MemberRule bus = bus_rule();
  return {row(parts, "PutTargets", {rule, bus, needed(list_rule("Targets", 1, 100))}, put),
          row(parts, "RemoveTargets",
              {rule, bus, needed(list_rule("Ids", 1, 100)), flag_rule("Force")}, remove),
          row(parts, "ListTargetsByRule", with_page({rule, bus}), list),
          row(parts, "ListRuleNamesByTarget", with_page({needed(text("TargetArn", 1, 1600)), bus}),
              list_rule_names)};
}

}  // namespace andon::api::event_rows
