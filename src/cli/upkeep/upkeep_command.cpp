// SPDX-License-Identifier: Apache-2.0
#include "cli/upkeep/upkeep_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kLooksAgain{200};
constexpr const char* kBackups = "/andon/v1/backups";

struct Options {
  ServerChoice server;
  std::string name;
  int wait_seconds = 600;
  bool json = false;
};

std::string mib(std::int64_t bytes) {
  constexpr double kMib = 1024.0 * 1024.0;
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMib);
}

std::string kept_text(const base::JsonReader& store) {
  std::string text;
  for (const base::JsonReader& one : store.children("kept")) {
    const auto days = one.optional_integer("days");
    text += (text.empty() ? "" : ", ") + one.string("what") + " " +
            (days ? std::to_string(*days) + " d" : "until there is no room") + " (" +
            one.string("option") + ")";
  }
  return text;
}

int storage(const Options& options) {
  ServerClient server(options.server);
  const json::value answer = server->rest("andon", "GET", "/andon/v1/storage");
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const base::JsonReader reader(answer, "answer");
  Table table({"STORE", "TAKES", "LIMIT", "KEPT FOR"});
  for (const base::JsonReader& store : reader.children("stores")) {
    const auto limit = store.optional_integer("limitBytes");
    table.add({store.string("name"), mib(store.integer("bytes")),
               limit ? mib(*limit) + " (" + store.string("limitOption") + ")" : "",
               kept_text(store)});
  }
  fmt::print("{}{} free of {}\n", table.text(), mib(reader.integer("freeBytes")),
             mib(reader.integer("sizeBytes")));
  return 0;
}

int list(const Options& options) {
  ServerClient server(options.server);
  const json::value answer = server->rest("andon", "GET", kBackups);
  if (options.json) {
    fmt::print("{}\n", base::json_text(answer));
    return 0;
  }
  const base::JsonReader reader(answer, "answer");
  Table table({"NAME", "MADE", "TAKES", "OBJECTS"});
  for (const base::JsonReader& one : reader.children("backups")) {
    table.add({one.string("name"), one.string("made"), mib(one.integer("bytes")),
               std::to_string(one.integer("objects"))});
  }
  if (table.empty()) {
    fmt::print("no backups in {}: andon backup create\n",
               base::escape_line(reader.string("directory")));
  } else {
    fmt::print("{}in {}, the newest {} are kept\n", table.text(),
               base::escape_line(reader.string("directory")), reader.integer("mostKept"));
  }
  if (const auto since = reader.optional_string("runningSince")) {
    fmt::print("one is under way since {}\n", *since);
  }
  if (const auto failure = reader.optional_string("failure")) {
    fmt::print("the last one failed: {}\n", base::escape_line(*failure));
  }
  return 0;
}

// Until it is there, or has failed.
int create(const Options& options) {
  ServerClient server(options.server);
  const json::value begun = server->rest("andon", "POST", kBackups, json::object{});
  const std::string name = base::JsonReader(begun, "answer").string("name");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_seconds);
  while (std::chrono::steady_clock::now() < until) {
    const json::value answer = server->rest("andon", "GET", kBackups);
    const base::JsonReader reader(answer, "answer");
    for (const base::JsonReader& one : reader.children("backups")) {
      if (one.string("name") != name) continue;
      fmt::print("{}/{}\n", base::escape_line(reader.string("directory")), name);
      return 0;
    }
    if (!reader.has("runningSince")) {
      throw base::Error(base::ErrorCode::failed_precondition,
                        "the backup failed: " + reader.optional_string("failure").value_or(
                                                    "the server was started anew meanwhile"));
    }
    std::this_thread::sleep_for(kLooksAgain);
  }
  throw base::Error(base::ErrorCode::deadline_exceeded,
                    "backup " + name + " is still under way: andon backup list");
}

int remove(const Options& options) {
  ServerClient(options.server)
      ->rest("andon", "DELETE", std::string(kBackups) + "/" + base::percent_encode(options.name));
  return 0;
}

}  // namespace

void add_upkeep_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto prepare = [&](CLI::App* command, int (*work)(const Options&)) {
    add_server_options(*command, options->server);
    command->callback(
        [options, work, &selected] { selected = [options, work] { return work(*options); }; });
    return command;
  };
  prepare(app.add_subcommand("storage", "What the server keeps, what that takes, for how long"),
          storage)
      ->add_flag("--json", options->json, "Print one JSON object");
  CLI::App* const backup = noun(app, "backup", "Backups that the server makes of itself");
  prepare(backup->add_subcommand("create", "Make one, and wait until it is there"), create)
      ->add_option("--wait", options->wait_seconds, "For so long at most; it goes on by itself")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  prepare(backup->add_subcommand("list", "All of them"), list)
      ->add_flag("--json", options->json, "Print one JSON object");
  prepare(backup->add_subcommand("delete", "Delete one"), remove)
      ->add_option("name", options->name, "Name")
      ->required();
}

}  // namespace andon::cli
