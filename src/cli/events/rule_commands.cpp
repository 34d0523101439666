// SPDX-License-Identifier: Apache-2.0
// andon rule: what is done with events.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/events/event_options.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::size_t kMostFile = 1U << 20U;

// As it is, or of a file where it begins with '@'.
std::string text_or_file(const std::string& given) {
  return given.starts_with('@') ? base::read_file(given.substr(1), kMostFile) : given;
}

// "BUS/NAME" is of another bus.
json::object named(const std::string& rule, const char* member = "Name") {
  const std::size_t slash = rule.find('/');
  if (slash == std::string::npos) return {{member, rule}};
  return {{member, rule.substr(slash + 1)}, {"EventBusName", rule.substr(0, slash)}};
}

json::array all_of(ServerClient& server, const char* operation, json::object input,
                   const char* member) {
  json::array all;
  while (true) {
    json::value page = server->events(operation, input);
    for (json::value& one : page.as_object()[member].as_array()) all.push_back(std::move(one));
    const std::string next = text_of(page, "NextToken");
    if (next.empty()) return all;
    input["NextToken"] = next;
  }
}

std::string when_of(const json::value& rule) {
  const std::string schedule = text_of(rule, "ScheduleExpression");
  return schedule.empty() ? text_of(rule, "EventPattern") : schedule;
}

int list(const EventCommandOptions& options) {
  ServerClient server(options.server);
  json::object input;
  if (!options.bus.empty()) input["EventBusName"] = options.bus;
  const json::array rules = all_of(server, "ListRules", input, "Rules");
  if (options.json) {
    fmt::print("{}\n", base::json_text(rules));
    return 0;
  }
  Table table({"RULE", "STATE", "WHEN"});
  for (const json::value& one : rules) {
    table.add({text_of(one, "Name"), text_of(one, "State"), base::escape_line(when_of(one))});
  }
  if (!table.empty()) fmt::print("{}", table.text());
  return 0;
}

int show(const EventCommandOptions& options) {
  ServerClient server(options.server);
  json::value rule = server->events("DescribeRule", named(options.name));
  const json::array targets =
      all_of(server, "ListTargetsByRule", named(options.name, "Rule"), "Targets");
  if (options.json) {
    rule.as_object()["Targets"] = targets;
    fmt::print("{}\n", base::json_text(rule));
    return 0;
  }
  for (const char* member : {"Name", "Arn", "EventBusName", "State", "Description",
                             "ScheduleExpression", "EventPattern"}) {
    const std::string text = text_of(rule, member);
    if (!text.empty()) fmt::print("{:<19} {}\n", member, base::escape_line(text));
  }
  for (const json::value& one : targets) {
    fmt::print("{:<19} {} {}\n", "Target " + base::escape_line(text_of(one, "Id")),
               base::escape_line(text_of(one, "Arn")), base::escape_line(text_of(one, "RoleArn")));
  }
  return 0;
}

int create(const EventCommandOptions& options) {
  ServerClient server(options.server);
  if (options.pattern.empty() == options.schedule.empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "a rule has a --pattern or a --schedule, one of them");
  }
  json::object rule = named(options.name);
  if (!options.pattern.empty()) rule["EventPattern"] = text_or_file(options.pattern);
  if (!options.schedule.empty()) rule["ScheduleExpression"] = options.schedule;
  if (!options.description.empty()) rule["Description"] = options.description;
  rule["State"] = options.disabled ? "DISABLED" : "ENABLED";
  // Its targets are checked, too: a rule that is left without them is taken away again.
  const bool is_new = [&] {
    try {
      (void)server->events("DescribeRule", named(options.name));
      return false;
    } catch (const base::Error& error) {
      if (error.code() != base::ErrorCode::not_found) throw;
      return true;
    }
  }();
  const json::value made = server->events("PutRule", rule);
  json::array targets;
  for (const std::string& arn : options.targets) {
    json::object target{{"Id", "target-" + std::to_string(targets.size() + 1)}, {"Arn", arn}};
    if (!options.role.empty()) target["RoleArn"] = options.role;
    if (!options.input.empty()) target["Input"] = text_or_file(options.input);
    if (!options.dead_letter.empty()) {
      target["DeadLetterConfig"] = json::object{{"Arn", options.dead_letter}};
    }
    targets.push_back(std::move(target));
  }
  try {
    json::object put = named(options.name, "Rule");
    put["Targets"] = targets;
    const json::value answer = server->events("PutTargets", put);
    const base::JsonReader reader(answer, "answer");
    if (const auto* failed = reader.optional_array("FailedEntries");
        failed != nullptr && !failed->empty()) {
      throw base::Error(
          base::ErrorCode::invalid_argument,
          text_of(failed->front(), "ErrorCode") + ": " + text_of(failed->front(), "ErrorMessage"));
    }
  } catch (...) {
    if (is_new) (void)server->events("DeleteRule", named(options.name));
    throw;
  }
  if (options.json) {
    fmt::print("{}\n", base::json_text(made));
  } else {
    fmt::print("{}\n", text_of(made, "RuleArn"));
  }
  return 0;
}

int enable(const EventCommandOptions& options) {
  ServerClient server(options.server);
  (void)server->events("EnableRule", named(options.name));
  return 0;
}

int disable(const EventCommandOptions& options) {
  ServerClient server(options.server);
  (void)server->events("DisableRule", named(options.name));
  return 0;
}

int remove(const EventCommandOptions& options) {
  ServerClient server(options.server);
  json::array ids;
  for (const json::value& one :
       all_of(server, "ListTargetsByRule", named(options.name, "Rule"), "Targets")) {
    ids.push_back(one.at("Id"));
  }
  if (!ids.empty()) {
    json::object input = named(options.name, "Rule");
    input["Ids"] = std::move(ids);
    (void)server->events("RemoveTargets", input);
  }
  (void)server->events("DeleteRule", named(options.name));
  return 0;
}

// 1 where it does not match.
int test(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::value answer = server->events(
      "TestEventPattern", json::object{{"EventPattern", text_or_file(options.pattern)},
                                       {"Event", text_or_file(options.event)}});
  const bool does_match = answer.at("Result").as_bool();
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
  } else {
    fmt::print("{}\n", does_match ? "matches" : "does not match");
  }
  return does_match ? 0 : 1;
}

int deliveries(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const std::string arn =
      options.name.starts_with("arn:")
          ? options.name
          : "arn:aws:events:" + server.connection().region + ":000000000000:rule/" + options.name;
  const json::value answer = server->rest(
      "andon", "GET", "/andon/v1/event-deliveries?sourceArn=" + base::percent_encode(arn));
  const auto* all = base::JsonReader(answer, "answer").optional_array("deliveries");
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  for (const json::value& one : all == nullptr ? json::array() : *all) {
    const std::string code = text_of(one, "errorCode");
    fmt::print("{:<10} {:<36} {:<16} {}\n", text_of(one, "status"), text_of(one, "eventId"),
               text_of(one, "targetId"),
               code.empty() ? "" : base::escape_line(code + ": " + text_of(one, "errorMessage")));
  }
  return 0;
}

}  // namespace

void add_rule_commands(const EventCommands& commands) {
  const auto& options = commands.options;
  const std::string which = "The rule (BUS/NAME on another bus)";
  commands.add("list", "All rules of a bus", list)
      ->add_option("--bus", options->bus, "Another bus than the default one");
  commands.add_named("show", "A rule with its targets", which, show);
  CLI::App* made = commands.add_named("create", "Make or change a rule", which, create);
  made->add_option("--pattern", options->pattern, "Which events: JSON, or @FILE");
  made->add_option("--schedule", options->schedule, "Or when: 'rate(5 minutes)', 'cron(...)'");
  made->add_option("--target", options->targets,
                   "ARN of a state machine, function, build project, log group, MQTT topic, API "
                   "destination or bus; several")
      ->required();
  made->add_option("--role", options->role, "ARN of the role that targets are started as");
  made->add_option("--input", options->input,
                   "What targets get instead of the event: JSON, or @FILE");
  made->add_option("--dead-letter", options->dead_letter,
                   "ARN of the log group or topic for what cannot be delivered");
  made->add_option("--description", options->description, "For people");
  made->add_flag("--disabled", options->disabled, "Not yet");
  commands.add_named("enable", "Events count from now on", which, enable);
  commands.add_named("disable", "Events do not count any more", which, disable);
  commands.add_named("delete", "Delete it with its targets", which, remove);
  CLI::App* tried =
      commands.add("test", "Does a pattern match an event? Exit code 1 where it does not", test);
  tried->add_option("--pattern", options->pattern, "JSON, or @FILE")->required();
  tried->add_option("--event", options->event, "JSON, or @FILE")->required();
  commands.add_named("deliveries", "What became of a rule's events, the newest first",
                     which + ", or the ARN of a rule or a schedule", deliveries);
}

}  // namespace andon::cli
