// SPDX-License-Identifier: Apache-2.0
#include "cli/access/console_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "cli/access/iam_session.hpp"
#include "cli/terminal/ask.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

struct Options {
  ServerChoice server;
  std::string name;
  std::string session;
  bool must_change = false;
  bool removes = false;
  bool json = false;
};

void print_json(const json::value& answer) {
  fmt::print("{}\n", base::json_text(answer));
}

// At a terminal twice, as nobody sees what they type.
std::string read_password() {
  constexpr std::string_view kHint = "type it, or give it on stdin";
  std::string password = ask_silently("password", kHint);
  if (isatty(STDIN_FILENO) != 0 && ask_silently("the same again", kHint) != password) {
    throw options::UsageError("the two passwords are not the same: nothing was changed");
  }
  return password;
}

int set_password(const Options& options) {
  IamSession session(options.server);
  FormMembers members = {{"UserName", options.name}};
  if (options.removes) {
    (void)session.iam("DeleteLoginProfile", members);
  } else {
    members["Password"] = read_password();
    members["PasswordResetRequired"] = options.must_change ? "true" : "false";
    try {
      (void)session.iam("CreateLoginProfile", members);
    } catch (const base::Error& error) {
      if (error.code() != base::ErrorCode::already_exists) throw;
      (void)session.iam("UpdateLoginProfile", members);
    }
  }
  if (options.json) {
    print_json(json::object{{"UserName", options.name}, {"HasPassword", !options.removes}});
  } else {
    fmt::print("{} {}; sessions of before have ended\n", options.name,
               options.removes ? "has no password any more" : "has a new password");
  }
  return 0;
}

int list_sessions(const Options& options) {
  IamSession session(options.server);
  std::string target = "/andon/v1/console-sessions";
  if (!options.name.empty()) target += "?userName=" + base::percent_encode(options.name);
  const json::value answer = session->rest("andon", "GET", target);
  if (options.json) {
    print_json(answer);
    return 0;
  }
  Table table({"SESSION", "WHO", "BY", "FROM", "LAST USED", "ENDS"});
  for (const base::JsonReader& one : base::JsonReader(answer, "answer").children("sessions")) {
    const json::value of = one.object();
    table.add({text_of(of, "sessionId"), text_of(of, "principal"), text_of(of, "signedInBy"),
               text_of(of, "sourceAddress"), text_of(of, "lastUsed"), text_of(of, "ends")});
  }
  if (!table.empty()) fmt::print("{}", table.text());
  return 0;
}

int sign_out(const Options& options) {
  IamSession session(options.server);
  if (options.name.empty() == options.session.empty()) {
    throw options::UsageError("name a user, or a session with --session");
  }
  const json::object input = options.session.empty() ? json::object{{"userName", options.name}}
                                                     : json::object{{"sessionId", options.session}};
  const json::value answer =
      session->rest("andon", "POST", "/andon/v1/console-sessions/end", input);
  if (options.json) {
    print_json(answer);
  } else {
    fmt::print("{} ended\n", base::JsonReader(answer, "answer").integer("ended"));
  }
  return 0;
}

int make_link(const Options& options) {
  IamSession session(options.server);
  json::value answer = session->rest("andon", "POST", "/andon/v1/console-links", json::object());
  const base::JsonReader link(answer, "answer");
  const std::string url = session->connection().api_url + link.string("path");
  if (options.json) {
    answer.as_object()["url"] = url;
    print_json(answer);
    return 0;
  }
  fmt::print(stderr, "Good once, for {} minutes:\n", link.integer("lastsSeconds") / 60);
  fmt::print("{}\n", url);
  return 0;
}

}  // namespace

void add_console_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](CLI::App* command, int (*run)(const Options&)) {
    add_server_options(*command, options->server);
    command->add_flag("--json", options->json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  CLI::App* users = noun(app, "user", "People and programs that use the server");

  CLI::App* password =
      add(users->add_subcommand("password",
                                "Give a user a password for the console; it is asked for, or read "
                                "of stdin"),
          set_password);
  password->add_option("user", options->name, "Name of the user")->required();
  CLI::App* const change = password;
  change->add_flag("--must-change", options->must_change,
                   "They must choose another one when they first sign in");
  change->add_flag("--remove", options->removes, "Take the password away instead")
      ->excludes("--must-change");

  CLI::App* sessions =
      add(users->add_subcommand("sessions", "Who is signed in to the console"), list_sessions);
  sessions->add_option("user", options->name, "Of this user only");

  CLI::App* out = add(users->add_subcommand("sign-out", "End the sessions of a user"), sign_out);
  out->add_option("user", options->name, "Name of the user");
  out->add_option("--session", options->session, "Only this one, as `andon user sessions` has it");

  add(app.add_subcommand("console",
                         "Print a link that signs you in to the console, once, for a quarter of an "
                         "hour"),
      make_link);
}

}  // namespace andon::cli
