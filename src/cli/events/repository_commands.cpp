// SPDX-License-Identifier: Apache-2.0
// andon repository: Git repositories that are asked for by and by, where no forge can call.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/events/event_options.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

std::string path_of(const EventCommandOptions& options) {
  return "/andon/v1/repositories/" + base::percent_encode(options.name);
}

int list(const EventCommandOptions& options) {
  ServerClient server(options.server);
  const json::array all = server.all("andon", "/andon/v1/repositories", "repositories");
  if (options.json) {
    fmt::print("{}\n", base::json_text(all));
    return 0;
  }
  Table table({"REPOSITORY", "URL", "REF", "COMMIT", "LOOKED", "PROBLEM"});
  constexpr std::size_t kShort = 10;
  for (const json::value& one : all) {
    table.add({text_of(one, "name"), base::escape_line(text_of(one, "url")),
               base::escape_line(text_of(one, "ref")), text_of(one, "commit").substr(0, kShort),
               ago_of(one, "looked", server.now()), base::escape_line(text_of(one, "error"))});
  }
  if (!table.empty()) fmt::print("{}", table.text());
  return 0;
}

int watch(const EventCommandOptions& options) {
  ServerClient server(options.server);
  json::object input{{"url", options.url}, {"intervalSeconds", options.seconds}};
  if (!options.ref.empty()) input["ref"] = options.ref;
  if (!options.secret.empty()) input["secretId"] = options.secret;
  const json::value made = server->rest("andon", "PUT", path_of(options), input);
  if (options.json) {
    fmt::print("{}\n", base::json_text(made));
  } else {
    fmt::print("{} is looked at every {} s\n", text_of(made, "ref"), options.seconds);
  }
  return 0;
}

int remove(const EventCommandOptions& options) {
  ServerClient server(options.server);
  (void)server->rest("andon", "DELETE", path_of(options));
  return 0;
}

}  // namespace

void add_repository_commands(const EventCommands& commands) {
  const auto& options = commands.options;
  commands.add("list", "Those that are watched", list);
  CLI::App* watched = commands.add_named(
      "watch", "A push event wherever its ref has moved (andon-server --git-allow)",
      "What it is called here", watch);
  watched->add_option("URL", options->url, "https://HOST/PATH, or file:///DIRECTORY")->required();
  watched->add_option("--ref", options->ref, "A branch, or refs/...; else HEAD");
  watched->add_option("--secret", options->secret,
                      "Of Secrets Manager, by name or ARN: a token, or username and password");
  watched->add_option("--every", options->seconds, "How often it is asked for")
      ->type_name("SECONDS")
      ->check(CLI::Range(10, 86'400))
      ->capture_default_str();
  commands.add_named("remove", "It is watched no more", "Its name here", remove);
}

}  // namespace andon::cli
