// SPDX-License-Identifier: Apache-2.0
#include "cli/function/function_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/function/package.hpp"
#include "cli/terminal/log_printer.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kGlance{200};
constexpr std::chrono::seconds kPatience{600};

struct Options {
  ServerChoice server;
  std::string name;
  std::string package;
  std::string handler = "app.handler";
  std::string runtime = "python3.11";
  std::string role;
  std::string payload;
  std::string qualifier;
  std::vector<std::string> environment;
  int timeout = 3;
  int memory = 128;
  int since_minutes = 0;
  bool event = false;
  bool follow = false;
  bool as_json = false;
};

class Session {
 public:
  explicit Session(const Options& options) : server_(options.server) {}

  json::object call(std::string_view method, const std::string& path,
                    const json::value& body = nullptr) {
    return server_->rest("lambda", method, path, body).as_object();
  }
  AwsClient& aws() { return *server_; }

 private:
  ServerClient server_;
};

std::string path_of(const std::string& name, const std::string& more = {}) {
  return "/2015-03-31/functions/" + base::percent_encode(name) + more;
}

json::object configuration_of(Session& session, const std::string& name) {
  return session.call("GET", path_of(name, "/configuration"));
}

int list(const Options& options) {
  Session session(options);
  std::string marker;
  while (true) {
    const std::string query = marker.empty() ? "" : "?Marker=" + base::percent_encode(marker);
    const json::object page = session.call("GET", "/2015-03-31/functions" + query);
    for (const json::value& item : page.at("Functions").as_array()) {
      const json::object& one = item.as_object();
      if (options.as_json) {
        std::cout << base::json_text(one) << '\n';
      } else {
        std::cout << fmt::format("{:<32} {:<16} {:<8} {}\n", text_of(one, "FunctionName"),
                                 text_of(one, "Runtime"), text_of(one, "State"),
                                 text_of(one, "LastModified"));
      }
    }
    marker = plain_text_of(page, "NextMarker");
    if (marker.empty()) return 0;
  }
}

int show(const Options& options) {
  Session session(options);
  const json::object told = configuration_of(session, options.name);
  if (options.as_json) {
    std::cout << base::json_text(told) << '\n';
    return 0;
  }
  for (const auto& [name, value] : told) {
    const std::string text =
        value.is_string() ? std::string(value.get_string()) : base::to_text(value);
    if (!text.empty())
      std::cout << fmt::format("{:<18} {}\n", std::string_view(name), base::escape_line(text));
  }
  return 0;
}

int create(const Options& options) {
  Session session(options);
  json::object variables;
  for (const std::string& one : options.environment) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "--env '" + one + "' is not of the form NAME=VALUE");
    }
    variables[one.substr(0, equals)] = one.substr(equals + 1);
  }
  const std::string zip = base::to_base64(read_package(options.package));
  json::object told =
      session.call("POST", "/2015-03-31/functions",
                   json::object{{"FunctionName", options.name},
                                {"Runtime", options.runtime},
                                {"Role", options.role},
                                {"Handler", options.handler},
                                {"Timeout", options.timeout},
                                {"MemorySize", options.memory},
                                {"Environment", json::object{{"Variables", std::move(variables)}}},
                                {"Code", json::object{{"ZipFile", zip}}}});
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (text_of(told, "State") == "Pending" && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(kGlance);
    told = configuration_of(session, options.name);
  }
  if (options.as_json) {
    std::cout << base::json_text(told) << '\n';
  } else {
    std::cout << text_of(told, "FunctionArn") << "  " << text_of(told, "State") << "  "
              << text_of(told, "StateReason") << '\n';
  }
  return text_of(told, "State") == "Active" ? 0 : 1;
}

int remove(const Options& options) {
  Session session(options);
  (void)session.call("DELETE", path_of(options.name));
  return 0;
}

// The payload goes to the standard output as it is, the log to the other.
int invoke(const Options& options) {
  Session session(options);
  std::string payload = options.payload;
  if (payload == "-") {
    payload.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  const std::string query =
      options.qualifier.empty() ? "" : "?Qualifier=" + base::percent_encode(options.qualifier);
  const FunctionAnswer answer =
      session.aws().invoke(path_of(options.name, "/invocations" + query), payload, options.event);
  if (!answer.log.empty() && !options.as_json) std::cerr << base::escape_controls(answer.log);
  if (!options.event) std::cout << answer.payload << '\n';
  return answer.is_error ? 1 : 0;
}

int logs(const Options& options) {
  Session session(options);
  const json::object told = configuration_of(session, options.name);
  json::object request{{"logGroupName", text_of(told.at("LoggingConfig").as_object(), "LogGroup")}};
  if (options.since_minutes > 0) {
    request["startTime"] = base::to_epoch_millis(base::SystemClock().now() -
                                                 std::chrono::minutes(options.since_minutes));
  }
  LogPrinter printer(
      [&session](const json::object& asked) {
        try {
          return session.aws().logs("FilterLogEvents", asked).as_object();
        } catch (const base::Error& error) {
          // It is made with the first call.
          if (error.code() != base::ErrorCode::not_found) throw;
          return json::object{{"events", json::array{}}};
        }
      },
      [](const std::string& message) { return base::escape_controls(message); },
      std::move(request));
  printer.print_new();
  if (options.follow) printer.follow();
  return 0;
}

}  // namespace

void add_function_commands(CLI::App& app, std::function<int()>& selected) {
  auto options = std::make_shared<Options>();
  CLI::App* commands = noun(app, "function", "Functions on a server (AWS Lambda's API)");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* command = commands->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Answer with the server's JSON");
    command->callback(
        [&selected, options, run] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto add_named = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* command = add(name, help, run);
    command->add_option("function", options->name, "Its name or ARN")->required();
    return command;
  };
  add("list", "Functions, by name", list);
  add_named("show", "One function's configuration", show);
  add_named("delete", "Delete it, with its versions", remove);

  CLI::App* made = add_named("create", "Make a function and wait until it is active", create);
  made->add_option("package", options->package, "A ZIP archive, a directory, or one file: its code")
      ->required();
  made->add_option("--role", options->role, "ARN of the role that it runs as")->required();
  made->add_option("--handler", options->handler, "MODULE.FUNCTION")->capture_default_str();
  made->add_option("--runtime", options->runtime, "python3.N, or provided.al2023 (a bootstrap)")
      ->capture_default_str();
  made->add_option("--timeout", options->timeout, "Seconds that a call may take")
      ->check(CLI::Range(1, 900))
      ->capture_default_str();
  made->add_option("--memory", options->memory, "MiB")
      ->check(CLI::Range(128, 10'240))
      ->capture_default_str();
  made->add_option("--env", options->environment, "A variable of its environment")
      ->type_name("NAME=VALUE");

  CLI::App* called = add_named(
      "invoke", "Call it: its answer to stdout, the end of its log to stderr; 1 for an error",
      invoke);
  called->add_option("--payload", options->payload, "JSON; - reads it from stdin");
  called->add_option("--qualifier", options->qualifier, "A version or an alias");
  called->add_flag("--event", options->event, "Do not wait for it");

  CLI::App* log = add_named("logs", "What it has written", logs);
  log->add_flag("-f,--follow", options->follow, "Go on as more comes");
  log->add_option("--since", options->since_minutes, "Only of the last so many minutes")
      ->type_name("MINUTES")
      ->check(CLI::Range(1, 1'000'000));
}

}  // namespace andon::cli
