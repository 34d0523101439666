// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/workflow_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "asl/definition/machine.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/escape.hpp"
#include "base/time/time.hpp"
#include "cli/states/asl_command.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/workflow/history.hpp"
#include "cli/workflow/job_logs.hpp"
#include "cli/workflow/machine_log.hpp"
#include "cli/workflow/session.hpp"
#include "options/choice.hpp"
#include "options/usage_error.hpp"
#include "report/state_graph/graph.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kGlance{200};

struct Options {
  ServerChoice server;
  std::string what;  // a machine or an execution
  std::string file;
  std::string role = "arn:aws:iam::000000000000:role/andon-workflows";
  std::string name;
  std::string input;
  std::string status;
  std::string error;
  std::string cause;
  std::string output;
  std::string execution;
  std::string log_level;
  std::string log_group;
  int since_minutes = 0;
  bool log_data = false;
  bool express = false;
  bool publish = false;
  bool wait = false;
  bool follow = false;
  bool with_jobs = false;
  bool as_json = false;
};

std::string time_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return "-";
  return base::to_iso8601(base::from_epoch_millis(
      static_cast<std::int64_t>(std::llround(value->to_number<double>() * 1000))));
}

void print(const Options& options, const json::object& answer, const std::string& text) {
  std::cout << (options.as_json ? base::json_text(answer) : text) << '\n';
}

// 0 for one that succeeded or runs, 1 for the others.
int print_execution(const Options& options, const json::object& told) {
  if (options.as_json) {
    std::cout << base::json_text(told) << '\n';
  } else {
    std::cout << text_of(told, "executionArn") << '\n'
              << "status   " << text_of(told, "status") << '\n'
              << "started  " << time_of(told, "startDate") << '\n'
              << "stopped  " << time_of(told, "stopDate") << '\n';
    for (const char* key : {"input", "output", "error", "cause"}) {
      const std::string text = text_of(told, key);
      if (!text.empty()) std::cout << fmt::format("{:<8} {}\n", key, text);
    }
  }
  const std::string status = text_of(told, "status");
  return status == "SUCCEEDED" || status == "RUNNING" ? 0 : 1;
}

// Nothing where no level was given. The group is made where it is absent.
void put_logging(Session& session, const Options& options, json::object& input) {
  if (options.log_level.empty()) return;
  if (options.log_level == "OFF") {
    input["loggingConfiguration"] = {{"level", "OFF"}};
    return;
  }
  const std::string name = options.what.substr(options.what.rfind(':') + 1);
  const std::string group =
      options.log_group.empty() ? "/aws/vendedlogs/states/" + name + "-Logs" : options.log_group;
  try {
    (void)session.logs("CreateLogGroup", {{"logGroupName", group}});
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::already_exists) throw;
  }
  input["loggingConfiguration"] =
      logging_to(session.log_group(group), options.log_level, options.log_data);
}

int create(const Options& options) {
  Session session(options.server);
  json::object input{{"name", options.what},
                     {"definition", base::read_file(options.file)},
                     {"roleArn", options.role},
                     {"type", options.express ? "EXPRESS" : "STANDARD"},
                     {"publish", options.publish}};
  put_logging(session, options, input);
  const json::object answer = session.call("CreateStateMachine", std::move(input));
  print(options, answer, text_of(answer, "stateMachineArn"));
  return 0;
}

int update(const Options& options) {
  Session session(options.server);
  json::object input{{"stateMachineArn", session.machine(options.what)},
                     {"publish", options.publish}};
  if (!options.file.empty()) input["definition"] = base::read_file(options.file);
  put_logging(session, options, input);
  const json::object answer = session.call("UpdateStateMachine", std::move(input));
  print(
      options, answer,
      options.publish ? text_of(answer, "stateMachineVersionArn") : text_of(answer, "revisionId"));
  return 0;
}

std::string read_input(const std::string& file) {
  if (file.empty()) return "{}";
  if (file != "-") return base::read_file(file);
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

int start(const Options& options) {
  Session session(options.server);
  json::object input{{"stateMachineArn", session.machine(options.what)},
                     {"input", read_input(options.input)}};
  if (!options.name.empty()) input["name"] = options.name;
  const json::object started = session.call("StartExecution", input);
  if (!options.wait) {
    print(options, started, text_of(started, "executionArn"));
    return 0;
  }
  return print_execution(options, session.wait_for_end(text_of(started, "executionArn")));
}

int list(const Options& options) {
  Session session(options.server);
  if (options.what.empty()) {
    json::array machines = session.all("ListStateMachines", {}, "stateMachines");
    for (const json::value& one : machines) {
      if (options.as_json) break;
      const json::object& machine = one.as_object();
      std::cout << fmt::format("{:<9} {}  {}\n", text_of(machine, "type"),
                               time_of(machine, "creationDate"), text_of(machine, "name"));
    }
    if (options.as_json) {
      std::cout << base::json_text(json::object{{"stateMachines", std::move(machines)}}) << '\n';
    }
    return 0;
  }
  json::object input{{"stateMachineArn", session.machine(options.what)}};
  if (!options.status.empty()) input["statusFilter"] = options.status;
  json::array executions = session.all("ListExecutions", input, "executions");
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"executions", std::move(executions)}}) << '\n';
    return 0;
  }
  for (const json::value& one : executions) {
    const json::object& execution = one.as_object();
    std::cout << fmt::format("{:<10} {}  {}  {}\n", text_of(execution, "status"),
                             time_of(execution, "startDate"), time_of(execution, "stopDate"),
                             text_of(execution, "name"));
  }
  return 0;
}

int show(const Options& options) {
  Session session(options.server);
  return print_execution(
      options,
      session.call("DescribeExecution", {{"executionArn", session.execution(options.what)}}));
}

int history(const Options& options) {
  Session session(options.server);
  json::array events = session.all(
      "GetExecutionHistory",
      {{"executionArn", session.execution(options.what)}, {"maxResults", 1000}}, "events");
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"events", std::move(events)}}) << '\n';
    return 0;
  }
  for (const json::value& event : events) std::cout << event_line(event) << '\n';
  return 0;
}

// Of a machine, what it writes to its log group; of an execution, its events as they come, until it
// ends.
int logs(const Options& options) {
  Session session(options.server);
  const bool is_arn = options.what.starts_with("arn:");
  const bool is_machine = is_arn ? options.what.find(":stateMachine:") != std::string::npos
                                 : options.what.find(':') == std::string::npos;
  if (is_machine) {
    return print_machine_log(session, {.machine = options.what,
                                       .follow = options.follow,
                                       .as_json = options.as_json,
                                       .since_minutes = options.since_minutes});
  }
  const std::string arn = session.execution(options.what);
  JobLogs jobs(
      [&session](const std::string& id, std::uint64_t from) { return session.job_log(id, from); },
      [&options](const std::string& state, const std::string& line) {
        if (options.as_json) {
          std::cout << base::json_text({{"state", state}, {"line", line}}) << '\n';
        } else {
          std::cout << base::escape_controls(state) << " | " << line << '\n';
        }
      });
  std::size_t seen = 0;
  while (true) {
    const std::string status =
        text_of(session.call("DescribeExecution", {{"executionArn", arn}}), "status");
    const json::array events =
        session.all("GetExecutionHistory", {{"executionArn", arn}, {"maxResults", 1000}}, "events");
    for (; seen < events.size(); ++seen) {
      std::cout << (options.as_json ? base::json_text(events[seen]) : event_line(events[seen]))
                << '\n';
      if (options.with_jobs) jobs.note(events[seen].as_object());
    }
    jobs.take();
    std::cout.flush();
    if (!options.follow || status != "RUNNING")
      return status == "RUNNING" || status == "SUCCEEDED" ? 0 : 1;
    std::this_thread::sleep_for(kGlance);
  }
}

int stop(const Options& options) {
  Session session(options.server);
  json::object input{{"executionArn", session.execution(options.what)}};
  if (!options.error.empty()) input["error"] = options.error;
  if (!options.cause.empty()) input["cause"] = options.cause;
  const json::object answer = session.call("StopExecution", input);
  print(options, answer, time_of(answer, "stopDate"));
  return 0;
}

int redrive(const Options& options) {
  Session session(options.server);
  const std::string arn = session.execution(options.what);
  const json::object answer = session.call("RedriveExecution", {{"executionArn", arn}});
  if (!options.wait) {
    print(options, answer, time_of(answer, "redriveDate"));
    return 0;
  }
  return print_execution(options, session.wait_for_end(arn));
}

// Of a file; of a machine; of an execution, coloured by it.
int graph(const Options& options) {
  std::string definition;
  std::optional<asl::ProgressByState> progress;
  if (!options.execution.empty()) {
    Session session(options.server);
    const std::string arn = session.execution(options.execution);
    definition = plain_text_of(
        session.call("DescribeStateMachineForExecution", {{"executionArn", arn}}), "definition");
    const std::string status =
        text_of(session.call("DescribeExecution", {{"executionArn", arn}}), "status");
    progress = progress_of(
        session.all("GetExecutionHistory", {{"executionArn", arn}, {"maxResults", 1000}}, "events"),
        status);
  } else if (base::fs::exists(options.what)) {
    definition = base::read_file(options.what);
  } else if (!options.what.empty()) {
    Session session(options.server);
    definition = plain_text_of(
        session.call("DescribeStateMachine", {{"stateMachineArn", session.machine(options.what)}}),
        "definition");
  } else {
    throw options::UsageError("name a file, a machine, or an execution with --execution");
  }
  const auto machine = asl::StateMachine::parse(definition);
  const asl::ProgressByState* colours = progress ? &*progress : nullptr;
  if (!options.output.empty()) {
    base::write_file_atomically(options.output, asl::draw_svg(machine, colours));
  } else if (isatty(STDOUT_FILENO) != 0) {
    std::cout << asl::draw_text(machine, colours);
  } else {
    std::cout << asl::draw_svg(machine, colours);
  }
  return 0;
}

}  // namespace

void add_workflow_commands(CLI::App& app, std::function<int()>& selected) {
  CLI::App* workflow = noun(app, "workflow", "State machines on a server");
  const auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help, int (*work)(const Options&)) {
    CLI::App* command = workflow->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print the server's answer as JSON");
    command->callback(
        [&selected, options, work] { selected = [options, work] { return work(*options); }; });
    return command;
  };
  const auto machine = [&](CLI::App* command) {
    return command->add_option("machine", options->what, "Name or ARN of the state machine");
  };
  const auto execution = [&](CLI::App* command) {
    command->add_option("execution", options->what, "MACHINE:NAME, or the execution's ARN")
        ->required();
  };
  const auto file = [&](CLI::App* command) {
    return command->add_option("file", options->file, "The definition, in Amazon States Language");
  };
  const auto logging = [&](CLI::App* command) {
    command
        ->add_option("--log-level", options->log_level,
                     "What of its executions is written to a log group")
        ->check(options::one_of({"ALL", "ERROR", "FATAL", "OFF"}));
    command
        ->add_option("--log-group", options->log_group,
                     "The group, made if absent; else /aws/vendedlogs/states/NAME-Logs")
        ->type_name("NAME");
    command->add_flag("--log-data", options->log_data, "Write inputs and outputs, too");
  };

  add_validate_command(*workflow, selected);
  CLI::App* create_command = add("create", "Make a state machine of a definition", create);
  machine(create_command)->required();
  file(create_command)->required();
  logging(create_command);
  create_command->add_option("--role", options->role, "ARN of the role that it runs with")
      ->capture_default_str();
  create_command->add_flag("--express", options->express, "An Express machine");
  create_command->add_flag("--publish", options->publish, "Publish version 1, too");
  CLI::App* update_command =
      add("update", "Give a machine a new definition; what runs goes on with the old one", update);
  machine(update_command)->required();
  file(update_command);
  logging(update_command);
  update_command->add_flag("--publish", options->publish, "Publish it as a version, too");
  CLI::App* start_command =
      add("start", "Start an execution; with --wait exits 1 if it does not succeed", start);
  machine(start_command)->required();
  start_command->add_option("--input", options->input, "File with the input as JSON; - is stdin");
  start_command->add_option("--name", options->name,
                            "Name: the same one and input again is the same execution");
  start_command->add_flag("--wait", options->wait, "Wait for its end and print it");
  CLI::App* list_command =
      add("list", "List the machines; with a machine, its executions, newest first", list);
  machine(list_command);
  list_command->add_option("--status", options->status, "Only executions with this status")
      ->check(options::one_of({"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}));
  execution(add("show", "Print an execution; exits 1 if it failed", show));
  execution(add("history", "Print the events of an execution", history));
  CLI::App* logs_command = add(
      "logs", "Print what a machine has written to its log group, or an execution's events", logs);
  logs_command->add_option("what", options->what, "A machine, or an execution: MACHINE:NAME or ARN")
      ->required();
  logs_command->add_flag("-f,--follow", options->follow,
                         "And more as it comes; of an execution, until it ends");
  logs_command->add_option("--since", options->since_minutes, "Of a machine: only so far back")
      ->type_name("MINUTES")
      ->check(CLI::Range(1, 5'256'000));
  logs_command->add_flag("--jobs", options->with_jobs, "And what the jobs of an execution write");
  CLI::App* stop_command = add("stop", "Stop an execution, and all that it runs", stop);
  execution(stop_command);
  stop_command->add_option("--error", options->error, "Name of the error that it ends with");
  stop_command->add_option("--cause", options->cause, "Why");
  CLI::App* redrive_command = add(
      "redrive", "Run the state anew that a failed, stopped or late execution ended in", redrive);
  execution(redrive_command);
  redrive_command->add_flag("--wait", options->wait, "Wait for its end and print it");
  CLI::App* graph_command =
      add("graph",
          "Draw a machine: text on a terminal, SVG elsewhere; with an execution in colours", graph);
  graph_command->add_option("machine", options->what, "File with a definition, or a machine");
  graph_command->add_option("--execution", options->execution,
                            "Colour by this one: MACHINE:NAME or ARN");
  graph_command->add_option("--output", options->output, "Write the SVG to this file");
}

}  // namespace andon::cli
