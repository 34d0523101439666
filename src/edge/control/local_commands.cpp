// SPDX-License-Identifier: Apache-2.0
#include "edge/control/local_commands.hpp"

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
#include "base/os/file.hpp"
#include "base/text/escape.hpp"
#include "base/time/time.hpp"
#include "edge/control/component_control.hpp"
#include "edge/control/control_client.hpp"
#include "edge/control/doctor.hpp"
#include "edge/control/log_follower.hpp"
#include "edge/control/support_bundle.hpp"
#include "options/usage_error.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;
using options::UsageError;

constexpr std::chrono::milliseconds kGlance{200};

struct Options {
  fs::path root = "/var/lib/andon/edge";
  bool as_json = false;
  std::string name;  // of a component, or the id of a deployment
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> settings;
  std::vector<std::string> users;
  fs::path recipes;
  fs::path artifacts;
  std::string group;
  std::string key;
  std::string value;
  fs::path out;
  std::size_t lines = 100;
  int limit_s = 600;
  bool follow = false;
  bool no_rollback = false;
  bool no_wait = false;
};

void print(const json::object& answer) {
  fmt::print("{}\n", base::json_text(answer));
}

// "NAME=VALUE"; throws UsageError.
std::pair<std::string, std::string> split_pair(const std::string& text, const char* form) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos || at == 0) {
    throw UsageError("'" + text + "' is not of the form " + form);
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

// JSON where it is JSON, else the text itself.
json::value value_of(const std::string& text) {
  try {
    return base::parse_json(text, "value");
  } catch (const Error&) {
    return json::value(json::string(text));
  }
}

std::vector<std::string> keys_of(const std::string& path) {
  std::vector<std::string> keys;
  std::size_t begin = 0;
  while (begin <= path.size() && !path.empty()) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (end == begin) throw UsageError("'" + path + "' has an empty key");
    keys.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return keys;
}

json::object wrap(const std::vector<std::string>& keys, json::value value) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    json::object outer;
    outer[*key] = std::move(value);
    value = std::move(outer);
  }
  return std::move(value.get_object());
}

void merge(json::object& into, const json::object& patch) {
  for (const auto& [key, value] : patch) {
    json::value& old = into[key];
    if (old.is_object() && value.is_object()) {
      merge(old.get_object(), value.get_object());
    } else {
      old = value;
    }
  }
}

json::object deployment_request(const Options& options) {
  json::object request;
  json::object add;
  for (const std::string& text : options.add) {
    const auto [name, version] = split_pair(text, "NAME=VERSION");
    add[name] = version;
  }
  request["rootComponentVersionsToAdd"] = std::move(add);
  request["rootComponentsToRemove"] = json::array(options.remove.begin(), options.remove.end());
  json::object configurations;
  for (const std::string& text : options.settings) {
    const auto [where, value] = split_pair(text, "COMPONENT:KEY=VALUE");
    const std::size_t colon = where.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == where.size()) {
      throw UsageError("'" + text + "' is not of the form COMPONENT:KEY=VALUE");
    }
    const json::object patch = wrap(keys_of(where.substr(colon + 1)), value_of(value));
    json::value& of = configurations[where.substr(0, colon)];
    if (!of.is_object()) of = json::object{{"MERGE", json::object{}}};
    merge(of.get_object()["MERGE"].get_object(), patch);
  }
  request["componentToConfiguration"] = std::move(configurations);
  json::object run_with;
  for (const std::string& text : options.users) {
    const auto [name, user] = split_pair(text, "COMPONENT=USER[:GROUP]");
    run_with[name] = json::object{{"posixUser", user}};
  }
  request["componentToRunWithInfo"] = std::move(run_with);
  if (!options.recipes.empty()) {
    request["recipeDirectoryPath"] = fs::absolute(options.recipes).string();
  }
  if (!options.artifacts.empty()) {
    request["artifactsDirectoryPath"] = fs::absolute(options.artifacts).string();
  }
  if (!options.group.empty()) request["groupName"] = options.group;
  request["failureHandlingPolicy"] = options.no_rollback ? "DO_NOTHING" : "ROLLBACK";
  return request;
}

int deploy(const Options& options) {
  const json::object request = deployment_request(options);
  wire::IpcClient agent(control_options(Layout(options.root)));
  const json::object made = agent.call("CreateLocalDeployment", request);
  const std::string id = base::JsonReader(made, "answer").string("deploymentId");
  if (options.no_wait) {
    if (options.as_json) {
      print(made);
    } else {
      fmt::print("{}\n", id);
    }
    return 0;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.limit_s);
  std::string told;
  for (;;) {
    const json::object answer = agent.call("GetLocalDeploymentStatus", {{"deploymentId", id}});
    const base::JsonReader deployment = base::JsonReader(answer, "answer").child("deployment");
    const std::string status = deployment.string("status");
    if (status == "SUCCEEDED" || status == "FAILED" || status == "CANCELED") {
      if (options.as_json) {
        print(answer);
      } else {
        const std::string cause = deployment.child_or_empty("deploymentStatusDetails")
                                      .optional_string("deploymentFailureCause")
                                      .value_or("");
        fmt::print("{} {}{}\n", id, status, cause.empty() ? "" : ": " + base::escape_line(cause));
      }
      return status == "SUCCEEDED" ? 0 : base::exit_code(ErrorCode::failed_precondition);
    }
    if (status != told) {
      told = status;
      fmt::print(stderr, "{} {}\n", id, status);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(
          ErrorCode::deadline_exceeded,
          fmt::format("deployment {} is {} after {} s, and goes on", id, status, options.limit_s));
    }
    std::this_thread::sleep_for(kGlance);
  }
}

int deployments(const Options& options) {
  wire::IpcClient agent(control_options(Layout(options.root)));
  const json::object answer = agent.call("ListLocalDeployments", {});
  if (options.as_json) {
    print(answer);
    return 0;
  }
  const base::JsonReader reader(answer, "answer");
  for (const json::value& entry : *reader.optional_array("localDeployments")) {
    const base::JsonReader one(entry, "localDeployments[]");
    fmt::print("{}  {}  {}\n", one.string("deploymentId"), one.string("createdOn"),
               one.string("status"));
  }
  return 0;
}

int cancel(const Options& options) {
  wire::IpcClient agent(control_options(Layout(options.root)));
  const json::object answer = agent.call("CancelLocalDeployment", {{"deploymentId", options.name}});
  if (options.as_json) print(answer);
  return 0;
}

// Also without an agent.
int components(const Options& options) {
  json::array all = components_of(Layout(options.root));
  if (options.as_json) {
    print({{"components", std::move(all)}});
    return 0;
  }
  for (const json::value& entry : all) {
    const base::JsonReader one(entry, "components[]");
    const std::string reason = one.optional_string("reason").value_or("");
    fmt::print("{:<40} {:<14} {}{}\n", one.string("name"), one.string("version"),
               one.string("state"), reason.empty() ? "" : "  (" + base::escape_line(reason) + ")");
  }
  return 0;
}

int tell(const Options& options, ComponentWord word) {
  const json::object answer = tell_component(Layout(options.root), word, options.name);
  if (options.as_json) print(answer);
  return 0;
}

int restart(const Options& options) {
  return tell(options, ComponentWord::restart);
}

int stop(const Options& options) {
  return tell(options, ComponentWord::stop);
}

int get_configuration(const Options& options) {
  wire::IpcClient agent(control_options(Layout(options.root)));
  const std::vector<std::string> keys = keys_of(options.key);
  const json::object answer = agent.call(
      "GetConfiguration",
      {{"componentName", options.name}, {"keyPath", json::array(keys.begin(), keys.end())}});
  print(base::JsonReader(answer, "answer").child("value").object());
  return 0;
}

int set_configuration(const Options& options) {
  wire::IpcClient agent(control_options(Layout(options.root)));
  const std::vector<std::string> keys = keys_of(options.key);
  const double now = static_cast<double>(base::to_epoch_millis(base::SystemClock().now())) / 1000.0;
  (void)agent.call("UpdateConfiguration", {{"componentName", options.name},
                                           {"keyPath", json::array{}},
                                           {"timestamp", now},
                                           {"valueToMerge", wrap(keys, value_of(options.value))}});
  return 0;
}

int logs(const Options& options) {
  LogFollower log(Layout(options.root), options.name);
  fmt::print("{}", log.last_lines(options.lines));
  std::fflush(stdout);
  while (options.follow) {
    const std::string more = log.more(kGlance);
    fmt::print("{}", more);
    if (std::fflush(stdout) != 0) return 0;  // nobody reads any more
  }
  return 0;
}

int doctor(const Options& options) {
  const std::vector<Finding> findings = examine(Layout(options.root));
  if (options.as_json) {
    print(to_json(findings));
  } else {
    fmt::print("{}", to_readable(findings));
  }
  return worst_of(findings) == Verdict::bad ? base::exit_code(ErrorCode::failed_precondition) : 0;
}

int support_bundle(const Options& options) {
  const std::string bundle = make_support_bundle(Layout(options.root));
  fs::path out = options.out;
  if (out.empty()) {
    out = "andon-support-" +
          std::to_string(base::to_epoch_millis(base::SystemClock().now()) / 1000) + ".tar";
  }
  base::write_file_atomically(out, bundle, 0600);
  if (options.as_json) {
    print({{"file", fs::absolute(out).string()}, {"bytes", bundle.size()}});
  } else {
    fmt::print("{}\n", out.string());
  }
  return 0;
}

}  // namespace

void add_local_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](CLI::App& to, const char* name, const char* help,
                       int (*run)(const Options&)) {
    CLI::App* const command = to.add_subcommand(name, help);
    command->add_option("--root", options->root, "Directory of the device")->capture_default_str();
    command->add_flag("--json", options->as_json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto named = [&](CLI::App* command, const char* what) {
    command->add_option("name", options->name, what)->required();
    return command;
  };
  constexpr const char* kComponent = "Name of the component";

  add(app, "components", "Show the components of this device", components);

  CLI::App* const making =
      add(app, "deploy", "Change what this device runs, without any server", deploy);
  making->add_option("--add", options->add, "A component; may be repeated")
      ->type_name("NAME=VERSION");
  making->add_option("--remove", options->remove, "A component to take away; may be repeated")
      ->type_name("NAME");
  making->add_option("--set", options->settings, "Part of a configuration; may be repeated")
      ->type_name("COMPONENT:KEY=VALUE");
  making->add_option("--user", options->users, "As whom a component runs; may be repeated")
      ->type_name("COMPONENT=USER[:GROUP]");
  making->add_option("--recipes", options->recipes, "Directory of recipes")->type_name("DIR");
  making
      ->add_option("--artifacts", options->artifacts,
                   "Directory that has each artifact as COMPONENT/VERSION/FILE")
      ->type_name("DIR");
  making->add_option("--group", options->group,
                     "Change what came with this thing group, instead of local deployments");
  making->add_flag("--no-rollback", options->no_rollback, "Leave what failed as it is");
  making->add_flag("--no-wait", options->no_wait, "Only print the id of the deployment");
  making->add_option("--timeout", options->limit_s, "Seconds to wait at most")
      ->check(CLI::Range(1, 7 * 24 * 3600))
      ->capture_default_str();

  add(app, "deployments", "Show the local deployments, the newest first", deployments);
  named(add(app, "cancel", "Cancel a local deployment before it changes anything", cancel),
        "Id of the deployment");
  named(add(app, "restart", "Restart a component, with what depends on it", restart), kComponent);
  named(add(app, "stop", "Stop a component until it is restarted or deployed", stop), kComponent);

  CLI::App* const configuration =
      app.add_subcommand("config", "Read or change a component's configuration");
  configuration->require_subcommand(1);
  CLI::App* const getting = named(
      add(*configuration, "get", "Print it, or the part at KEY", get_configuration), kComponent);
  getting->add_option("key", options->key, "camera.exposure")->type_name("KEY");
  CLI::App* const setting =
      named(add(*configuration, "set",
                "Change the part at KEY; until a deployment changes it again", set_configuration),
            kComponent);
  setting->add_option("key", options->key, "camera.exposure")->type_name("KEY")->required();
  setting->add_option("value", options->value, "JSON, or a text")->required();

  CLI::App* const reading =
      named(add(app, "logs", "Print what a component wrote", logs), kComponent);
  reading->add_flag("-f,--follow", options->follow, "Go on with what it writes");
  reading->add_option("-n,--lines", options->lines, "Lines from the end")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();

  add(app, "doctor", "Find out what is wrong with this device", doctor);
  CLI::App* const bundling =
      add(app, "support-bundle", "Write what others need to find out what is wrong into a file",
          support_bundle);
  bundling->add_option("-o,--out", options->out, "The tar archive; default: in this directory")
      ->type_name("FILE");
}

}  // namespace andon::edge
