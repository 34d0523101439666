// SPDX-License-Identifier: Apache-2.0
#include "cli/events/events_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "base/text/id.hpp"
#include "base/time/time.hpp"
#include "cli/events/event_options.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::size_t kSecretBytes = 32;

int list_webhooks(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::array all = server.all("andon", "/andon/v1/webhooks", "webhooks");
  if (options.json) {
    fmt::print("{}\n", base::json_text(all));
    return 0;
  }
  for (const json::value& one : all) {
    const std::string forge = text_of(one, "lastForge");
    fmt::print("{:<24} {}{}  {}\n", text_of(one, "name"), server.connection().api_url,
               text_of(one, "path"), forge.empty() ? "no push yet" : "pushed to by " + forge);
  }
  return 0;
}

// "github push refs/heads/main 1a2b3c plant/code", or why it was not taken.
std::string about_push(const json::value& outcome) {
  std::string text;
  for (const char* const member : {"forge", "event", "ref", "commit", "repository", "reason"}) {
    const std::string said = base::escape_line(text_of(outcome, member));
    if (!said.empty()) text += (text.empty() ? "" : " ") + said;
  }
  return text;
}

int webhook_outcomes(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::value answer = server->rest(
      "andon", "GET", "/andon/v1/webhooks/" + base::percent_encode(options.name) + "/outcomes");
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  for (const json::value& one : answer.at("outcomes").as_array()) {
    const base::JsonReader outcome(one, "outcome");
    const std::int64_t count = outcome.integer("count");
    const auto at = static_cast<std::int64_t>(outcome.optional_number("at").value_or(0) * 1000);
    fmt::print("{}  {:<9} {}{}\n", base::to_iso8601(base::from_epoch_millis(at)),
               outcome.string("outcome"), about_push(one),
               count > 1 ? fmt::format("  ({} times)", count) : "");
    const auto* deliveries = outcome.optional_array("deliveries");
    for (const json::value& made : deliveries == nullptr ? json::array() : *deliveries) {
      const std::string started = text_of(made, "started");
      const std::string error = text_of(made, "errorMessage");
      fmt::print("    {:<9} {}{}\n", text_of(made, "status"),
                 base::escape_line(started.empty() ? text_of(made, "targetArn") : started),
                 error.empty() ? "" : "  " + base::escape_line(error));
    }
  }
  return 0;
}

int add_webhook(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const std::string secret = options.secret.empty()
                                 ? base::to_hex(base::as_bytes(base::random_bytes(kSecretBytes)))
                                 : options.secret;
  const json::value made =
      server->rest("andon", "PUT", "/andon/v1/webhooks/" + base::percent_encode(options.name),
                   json::object{{"secret", secret}});
  if (options.json) {
    fmt::print("{}\n", base::json_text(json::object{
                           {"name", options.name}, {"path", made.at("path")}, {"secret", secret}}));
    return 0;
  }
  fmt::print(stderr, "The secret is shown once; it cannot be had again:\n");
  fmt::print("url     {}{}\nsecret  {}\n", server.connection().api_url, text_of(made, "path"),
             secret);
  return 0;
}

int remove_webhook(const EventCommandOptions& options) {
  ServerClient server(options.server);
  (void)server->rest("andon", "DELETE", "/andon/v1/webhooks/" + base::percent_encode(options.name));
  return 0;
}

}  // namespace

CLI::App* EventCommands::add(const std::string& name, const std::string& help, Work work) const {
  CLI::App* command = group->add_subcommand(name, help);
  add_server_options(*command, options->server);
  command->add_flag("--json", options->json, "Print as JSON");
  command->callback([&chosen = selected, given = options, work] {
    chosen = [given, work] { return work(*given); };
  });
  return command;
}

CLI::App* EventCommands::add_named(const std::string& name, const std::string& help,
                                   const std::string& which, Work work) const {
  CLI::App* command = add(name, help, work);
  command->add_option("NAME", options->name, which)->required();
  return command;
}

void add_webhook_commands(const EventCommands& commands) {
  commands.add("list", "All webhooks", list_webhooks);
  commands
      .add_named("add", "A new webhook, or a new secret for one",
                 "Its name, the end of /hooks/NAME", add_webhook)
      ->add_option("--secret", commands.options->secret,
                   "At least 16 characters; by chance where absent");
  commands.add_named("remove", "Remove a webhook", "Its name", remove_webhook);
  commands.add_named("outcomes", "What became of its last pushes, and what that started",
                     "Its name", webhook_outcomes);
}

void add_events_commands(CLI::App& app, std::function<int()>& selected) {
  const auto commands = [&](const char* name, const char* help) {
    return EventCommands{noun(app, name, help), selected, std::make_shared<EventCommandOptions>()};
  };
  add_rule_commands(commands("rule", "What is done with events"));
  add_schedule_commands(commands("schedule", "What is started when"));
  add_webhook_commands(commands("webhook", "Doors for pushes of GitHub, GitLab and Gitea"));
  add_repository_commands(commands("repository", "Git repositories that are watched"));
}

}  // namespace andon::cli
