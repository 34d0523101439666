// SPDX-License-Identifier: Apache-2.0
// andon schedule: what is started when.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error/error.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/events/event_options.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

std::string path_of(const EventCommandOptions& options) {
  return "/schedules/" + base::percent_encode(options.name);
}

std::string own_path(const EventCommandOptions& options) {
  return path_of(options) + "?groupName=" + base::percent_encode(options.group);
}

int list(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::array all = server.all("scheduler", "/schedules", "Schedules", "NextToken");
  if (options.json) {
    fmt::print("{}\n", base::json_text(all));
    return 0;
  }
  for (const json::value& one : all) {
    const std::string path = "/schedules/" + base::percent_encode(text_of(one, "Name")) +
                             "?groupName=" + base::percent_encode(text_of(one, "GroupName"));
    const json::value schedule = server->rest("scheduler", "GET", path);
    fmt::print("{:<32} {:<9} {} {}\n", text_of(one, "GroupName") + "/" + text_of(one, "Name"),
               text_of(one, "State"), text_of(schedule, "ScheduleExpression"),
               text_of(schedule, "ScheduleExpressionTimezone"));
  }
  return 0;
}

int show(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::value schedule = server->rest("scheduler", "GET", own_path(options));
  if (options.json) {
    fmt::print("{}\n", base::json_text(schedule));
    return 0;
  }
  for (const auto& [name, value] : schedule.as_object()) {
    if (value.is_null()) continue;
    const std::string text =
        value.is_string() ? std::string(value.get_string()) : base::to_text(value);
    fmt::print("{:<27} {}\n", std::string_view(name), base::escape_line(text));
  }
  return 0;
}

int create(const EventCommandOptions& options) {
  ServerClient server(options.server);
  json::object target{{"Arn", options.targets.front()}, {"RoleArn", options.role}};
  if (!options.input.empty()) target["Input"] = options.input;
  if (!options.dead_letter.empty()) {
    target["DeadLetterConfig"] = json::object{{"Arn", options.dead_letter}};
  }
  json::object schedule{{"GroupName", options.group},
                        {"ScheduleExpression", options.schedule},
                        {"FlexibleTimeWindow", json::object{{"Mode", "OFF"}}},
                        {"State", options.disabled ? "DISABLED" : "ENABLED"},
                        {"Target", std::move(target)}};
  if (!options.zone.empty()) schedule["ScheduleExpressionTimezone"] = options.zone;
  if (!options.description.empty()) schedule["Description"] = options.description;
  if (options.once) schedule["ActionAfterCompletion"] = "DELETE";
  const json::value made = server->rest("scheduler", "POST", path_of(options), schedule);
  if (options.json) {
    fmt::print("{}\n", base::json_text(made));
  } else {
    fmt::print("{}\n", text_of(made, "ScheduleArn"));
  }
  return 0;
}

// UpdateSchedule wants all of it.
int set_state(const EventCommandOptions& options, const char* state) {
  ServerClient server(options.server);
  const json::value now = server->rest("scheduler", "GET", own_path(options));
  json::object schedule;
  for (const char* member :
       {"GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate",
        "Description", "FlexibleTimeWindow", "Target", "ActionAfterCompletion", "KmsKeyArn"}) {
    const auto* value = now.as_object().if_contains(member);
    if (value != nullptr && !value->is_null()) schedule[member] = *value;
  }
  schedule["State"] = state;
  (void)server->rest("scheduler", "PUT", path_of(options), schedule);
  return 0;
}

int enable(const EventCommandOptions& options) {
  return set_state(options, "ENABLED");
}

int disable(const EventCommandOptions& options) {
  return set_state(options, "DISABLED");
}

int remove(const EventCommandOptions& options) {
  ServerClient server(options.server);
  (void)server->rest("scheduler", "DELETE", own_path(options));
  return 0;
}

}  // namespace

void add_schedule_commands(const EventCommands& commands) {
  const auto& options = commands.options;
  commands.add("list", "All schedules", list);
  const auto add = [&](const char* name, const char* help, EventCommands::Work work) {
    CLI::App* command = commands.add_named(name, help, "Its name", work);
    command->add_option("--group", options->group, "Its group")->capture_default_str();
    return command;
  };
  add("show", "One schedule", show);
  CLI::App* made = add("create", "A new schedule", create);
  made->add_option("EXPRESSION", options->schedule,
                   "'rate(1 hour)', 'cron(30 2 * * ? *)', 'at(2027-01-31T06:00:00)'")
      ->required();
  made->add_option("--target", options->targets, "ARN of what it starts")->required()->expected(1);
  made->add_option("--role", options->role, "ARN of the role that it is started as")->required();
  made->add_option("--zone", options->zone, "Its time zone, Europe/Berlin say; else UTC");
  made->add_option("--input", options->input, "What the target gets: JSON");
  made->add_option("--dead-letter", options->dead_letter,
                   "ARN of the log group or topic for what cannot be delivered");
  made->add_option("--description", options->description, "For people");
  made->add_flag("--delete-after", options->once, "It goes when it has run for the last time");
  made->add_flag("--disabled", options->disabled, "Not yet");
  add("enable", "It counts from now on", enable);
  add("disable", "It does not count any more", disable);
  add("delete", "Delete it", remove);
}

}  // namespace andon::cli
