// SPDX-License-Identifier: Apache-2.0
#include "cli/apply/apply_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "cli/apply/plan_text.hpp"
#include "cli/apply/sources.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kVersion = "2010-05-15";
constexpr const char* kAccount = "000000000000";
constexpr int kWouldChange = 20;
constexpr std::chrono::milliseconds kGlance{300};
constexpr std::size_t kMostParameters = 200;

struct Options {
  ServerChoice server;
  std::string path;
  std::string stack;
  std::vector<std::string> parameters;
  std::vector<std::string> tags;
  std::vector<std::string> retained;
  std::int64_t wait_seconds = 1800;
  bool dry_run = false;
  bool prune = false;
  bool yes = false;
  bool json = false;
};

// "K=V" each.
json::object pairs(const std::vector<std::string>& given, std::string_view option) {
  json::object made;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw options::UsageError(std::string(option) + " " + one + ": is not NAME=VALUE");
    }
    made[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return made;
}

// The stack as DescribeStacks has it; nothing where there is none.
std::optional<json::value> describe(ServerClient& server, const std::string& name) {
  try {
    const json::value answer =
        server->query("cloudformation", kVersion, "DescribeStacks", {{"StackName", name}});
    return answer.at("Stacks").at(0);
  } catch (const Error& error) {
    if (error.message().find("does not exist") != std::string::npos) return std::nullopt;
    throw;
  }
}

bool is_in_progress(const std::string& status) {
  return status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
}

// Tells what happens to the resources of a stack, each event once.
class Watching {
 public:
  Watching(ServerClient& server, Terminal& terminal, std::string stack)
      : server_(server), terminal_(terminal), stack_(std::move(stack)) {}

  // What has happened so far is of an earlier time.
  void skip() {
    for (const json::value& event : events()) seen_.insert(text_of(event, "EventId"));
  }
  void tell() {
    json::array all = events();
    for (std::size_t i = all.size(); i > 0; --i) {
      const json::value& event = all[i - 1];
      if (!seen_.insert(text_of(event, "EventId")).second) continue;
      const std::string reason = text_of(event, "ResourceStatusReason");
      terminal_.step(fmt::format("{:<36} {}{}", text_of(event, "ResourceStatus"),
                                 text_of(event, "LogicalResourceId"),
                                 reason.empty() ? "" : "  " + reason));
    }
  }
  // Until nothing is being done to it any more: its status; "" where it is gone.
  std::string wait(std::chrono::seconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    for (;;) {
      tell();
      const auto now = describe(server_, stack_);
      const std::string status = now ? text_of(*now, "StackStatus") : std::string();
      if (!is_in_progress(status)) {
        tell();
        return status;
      }
      if (std::chrono::steady_clock::now() > end) {
        throw Error(ErrorCode::deadline_exceeded,
                    "the stack " + stack_ + " is still " + status +
                        ": the server goes on with it; `andon stack show` tells how far it is");
      }
      std::this_thread::sleep_for(kGlance);
    }
  }

 private:
  json::array events() {
    const json::value answer =
        server_->query("cloudformation", kVersion, "DescribeStackEvents", {{"StackName", stack_}});
    const auto* list =
        answer.is_object() ? answer.get_object().if_contains("StackEvents") : nullptr;
    return list != nullptr && list->is_array() ? list->get_array() : json::array();
  }

  ServerClient& server_;
  Terminal& terminal_;
  const std::string stack_;
  std::set<std::string> seen_;
};

// A file for what is sent from memory; goes with it.
class Scratch {
 public:
  explicit Scratch(const std::string& bytes)
      : path_(fs::temp_directory_path() / ("andon-apply-" + base::random_uuid())) {
    base::write_file_atomically(path_, bytes);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

// What the server has not got yet: its key says what it holds.
void upload(ServerClient& server, Terminal& terminal, const std::vector<Upload>& uploads) {
  std::set<std::string> buckets;
  for (const Upload& one : uploads) {
    if (buckets.insert(one.bucket).second) server->create_bucket(one.bucket);
    if (server->has_object(one.bucket, one.key)) continue;
    const auto on_progress = [&](std::uint64_t sent, std::uint64_t total) {
      terminal.progress(one.what, sent, total);
    };
    if (one.file.empty()) {
      const Scratch scratch(one.bytes);
      server->put_object(one.bucket, one.key, scratch.path(), on_progress);
    } else {
      server->put_object(one.bucket, one.key, one.file, on_progress);
    }
  }
}

std::string action_path(const std::string& stack, std::string_view action) {
  return "/andon/v1/stacks/" + base::percent_encode(stack) + "/" + std::string(action);
}

json::object outputs_of(const json::value& stack) {
  json::object outputs;
  const auto* list = stack.is_object() ? stack.get_object().if_contains("Outputs") : nullptr;
  if (list == nullptr || !list->is_array()) return outputs;
  for (const json::value& one : list->get_array()) {
    outputs[text_of(one, "OutputKey")] = text_of(one, "OutputValue");
  }
  return outputs;
}

struct Done {
  bool has_changes = false;
  json::object report;
};

// One stack: planned, told, uploaded for, applied, waited for.
Done apply_one(ServerClient& server, Terminal& terminal, const Options& options,
               const StackSource& source) {
  const std::string name = options.stack.empty() ? source.name : options.stack;
  Watching watching(server, terminal, name);
  if (const auto there = describe(server, name);
      there && is_in_progress(text_of(*there, "StackStatus")) && !options.dry_run) {
    terminal.step("stack " + name + " is " + text_of(*there, "StackStatus") +
                  ": waiting until that is done");
    watching.skip();
    (void)watching.wait(std::chrono::seconds(options.wait_seconds));
  }
  json::object parameters;
  const auto* declared = source.document.if_contains("Parameters");
  for (const auto& [key, value] : pairs(options.parameters, "--parameter")) {
    const bool is_declared =
        declared != nullptr && declared->is_object() && declared->get_object().contains(key);
    if (is_declared) parameters[key] = value;
  }
  json::object ask{{"templateBody", base::to_text(source.document)},
                   {"parameters", std::move(parameters)},
                   {"tags", pairs(options.tags, "--tag")},
                   {"prune", options.prune}};
  const json::value plan = server->rest("andon", "POST", action_path(name, "plan"), ask);
  const bool has_changes = plan.at("hasChanges").as_bool();
  Done done{has_changes, {{"stack", name}, {"plan", plan}}};
  if (!options.json) fmt::print("{}", plan_text(name, plan));
  if (options.dry_run) return done;
  if (has_changes) {
    upload(server, terminal, source.uploads);
    ask["clientToken"] = base::random_uuid();
    if (describe(server, name)) watching.skip();
    (void)server->rest("andon", "POST", action_path(name, "apply"), ask);
    (void)watching.wait(std::chrono::seconds(options.wait_seconds));
  }
  const auto now = describe(server, name);
  const std::string status = now ? text_of(*now, "StackStatus") : "gone";
  done.report["status"] = status;
  if (status.ends_with("_FAILED") || !now) {
    throw Error(ErrorCode::failed_precondition,
                "the stack " + name + " is " + status + ": " +
                    (now ? text_of(*now, "StackStatusReason") : "") +
                    " What was done stays: mend the cause and apply again");
  }
  done.report["stackId"] = text_of(*now, "StackId");
  done.report["outputs"] = outputs_of(*now);
  if (!options.json) {
    for (const auto& [key, value] : outputs_of(*now)) {
      fmt::print("  {} = {}\n", std::string_view(key), std::string_view(value.get_string()));
    }
  }
  return done;
}

int apply(const Options& options) {
  ServerClient server(options.server);
  Terminal terminal;
  if (options.parameters.size() > kMostParameters) {
    throw options::UsageError("--parameter: more than 200 of them");
  }
  const auto sources = read_sources(options.path, kAccount, server.connection().region);
  if (sources.size() > 1 && !options.stack.empty()) {
    throw options::UsageError("--stack names one stack, and " + options.path + " has " +
                              std::to_string(sources.size()));
  }
  for (const auto& [key, value] : pairs(options.parameters, "--parameter")) {
    bool is_declared = false;
    for (const StackSource& source : sources) {
      const auto* declared = source.document.if_contains("Parameters");
      is_declared = is_declared || (declared != nullptr && declared->is_object() &&
                                    declared->get_object().contains(key));
    }
    if (!is_declared) {
      throw options::UsageError("--parameter " + std::string(key) +
                                ": the template has no such "
                                "parameter");
    }
  }
  json::array reports;
  bool has_changes = false;
  for (const StackSource& source : sources) {
    Done done = apply_one(server, terminal, options, source);
    has_changes = has_changes || done.has_changes;
    reports.push_back(std::move(done.report));
  }
  if (options.json) {
    fmt::print("{}\n", base::json_text(json::object{{"hasChanges", has_changes},
                                                    {"stacks", std::move(reports)}}));
  }
  return options.dry_run && has_changes ? kWouldChange : 0;
}

int list_stacks(const Options& options) {
  ServerClient server(options.server);
  const json::value answer = server->query("cloudformation", kVersion, "DescribeStacks", {});
  const auto* list = answer.is_object() ? answer.get_object().if_contains("Stacks") : nullptr;
  const json::array all = list != nullptr && list->is_array() ? list->get_array() : json::array();
  if (options.json) {
    fmt::print("{}\n", base::json_text(json::object{{"stacks", all}}));
    return 0;
  }
  Table table({"STACK", "STATUS", "CHANGED", "REASON"});
  for (const json::value& one : all) {
    const std::string changed = text_of(one, "LastUpdatedTime");
    table.add({text_of(one, "StackName"), text_of(one, "StackStatus"),
               changed.empty() ? text_of(one, "CreationTime") : changed,
               text_of(one, "StackStatusReason")});
  }
  if (!table.empty()) fmt::print("{}", table.text());
  return 0;
}

int show_stack(const Options& options) {
  ServerClient server(options.server);
  const auto stack = describe(server, options.stack);
  if (!stack) throw Error(ErrorCode::not_found, "no stack '" + options.stack + "' on this server");
  const json::value resources = server->query("cloudformation", kVersion, "ListStackResources",
                                              {{"StackName", options.stack}});
  const auto* list = resources.is_object()
                         ? resources.get_object().if_contains("StackResourceSummaries")
                         : nullptr;
  const json::array all = list != nullptr && list->is_array() ? list->get_array() : json::array();
  if (options.json) {
    fmt::print("{}\n", base::json_text(json::object{{"stack", *stack}, {"resources", all}}));
    return 0;
  }
  fmt::print("{}  {}  {}\n", text_of(*stack, "StackName"), text_of(*stack, "StackStatus"),
             text_of(*stack, "StackStatusReason"));
  Table table({"RESOURCE", "TYPE", "STATUS", "NAME"});
  for (const json::value& one : all) {
    table.add({text_of(one, "LogicalResourceId"), text_of(one, "ResourceType"),
               text_of(one, "ResourceStatus"), text_of(one, "PhysicalResourceId")});
  }
  if (!table.empty()) fmt::print("{}", table.text());
  for (const auto& [key, value] : outputs_of(*stack)) {
    fmt::print("{} = {}\n", std::string_view(key), std::string_view(value.get_string()));
  }
  return 0;
}

int delete_stack(const Options& options) {
  ServerClient server(options.server);
  Terminal terminal;
  const auto stack = describe(server, options.stack);
  if (!stack) throw Error(ErrorCode::not_found, "no stack '" + options.stack + "' on this server");
  confirm("Delete the stack " + options.stack + " with all that it made?", options.yes);
  const std::string id = text_of(*stack, "StackId");
  Watching watching(server, terminal, id);
  watching.skip();
  FormMembers members{{"StackName", options.stack}};
  for (std::size_t i = 0; i < options.retained.size(); ++i) {
    members["RetainResources.member." + std::to_string(i + 1)] = options.retained[i];
  }
  (void)server->query("cloudformation", kVersion, "DeleteStack", members);
  const std::string status = watching.wait(std::chrono::seconds(options.wait_seconds));
  if (status != "DELETE_COMPLETE") {
    const auto now = describe(server, id);
    throw Error(ErrorCode::failed_precondition,
                "the stack " + options.stack + " is " + status + ": " +
                    (now ? text_of(*now, "StackStatusReason") : ""));
  }
  if (options.json) {
    fmt::print("{}\n", base::json_text(json::object{{"stack", options.stack}, {"status", status}}));
  }
  return 0;
}

}  // namespace

void add_apply_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto finish = [&selected, options](CLI::App* command, int (*work)(const Options&)) {
    add_server_options(*command, options->server);
    command->add_flag("--json", options->json, "Print as JSON");
    command->callback([&selected, options, work] { selected = [=] { return work(*options); }; });
    return command;
  };
  const auto add_wait = [options](CLI::App* command) {
    command->add_option("--wait", options->wait_seconds, "Seconds after which nobody waits more")
        ->check(CLI::Range(1, 86'400));
  };
  CLI::App* apply_command = app.add_subcommand(
      "apply",
      "Make a server as a template of CloudFormation's language says: a plan, then the "
      "changes. Exit code 20 of --dry-run: there would be some");
  finish(apply_command, apply);
  apply_command
      ->add_option("-f,--file", options->path,
                   "A template, a directory with template.yaml or template.json, or cdk.out")
      ->required();
  apply_command->add_option("--stack", options->stack,
                            "The stack's name; the directory's or file's where absent");
  apply_command->add_option("--parameter", options->parameters, "NAME=VALUE, of the template");
  apply_command->add_option("--tag", options->tags, "NAME=VALUE, of the stack");
  apply_command->add_flag("--dry-run", options->dry_run, "Only the plan; changes nothing");
  apply_command->add_flag("--prune", options->prune,
                          "Delete what the template no longer has; else it stays in the stack");
  add_wait(apply_command);
  CLI::App* stack = noun(app, "stack", "Stacks that templates made");
  finish(stack->add_subcommand("list", "All stacks"), list_stacks);
  const auto named = [options](CLI::App* command) {
    command->add_option("NAME", options->stack, "The stack's name")->required();
    return command;
  };
  named(finish(stack->add_subcommand("show", "A stack, its resources and outputs"), show_stack));
  CLI::App* removal = named(
      finish(stack->add_subcommand("delete", "Delete a stack and all that it made"), delete_stack));
  removal->add_option("--retain", options->retained, "A logical id that stays");
  removal->add_flag("--yes", options->yes, "Do not ask");
  add_wait(removal);
}

}  // namespace andon::cli
