// SPDX-License-Identifier: Apache-2.0
#include "cli/states/asl_command.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "asl/definition/validator.hpp"
#include "asl/local/local_run.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/escape.hpp"
#include "base/text/id.hpp"
#include "base/time/time.hpp"
#include "report/state_graph/graph.hpp"

namespace andon::cli {
namespace {

constexpr std::size_t kMaxMockBytes = 16U << 20U;

struct AslOptions {
  std::string file;
  std::string input = "{}";
  std::string mock;
  std::string test_case;
  std::string output;
  bool fast_clock = false;
  bool json = false;
  bool express = false;
};

std::string show(const asl::Diagnostic& problem) {
  const char* severity = problem.severity == asl::Severity::error ? "error" : "warning";
  std::string text = std::string(severity) + " " + problem.code + ": " + problem.message;
  if (!problem.location.empty()) text += "\n  at " + problem.location;
  return text;
}

int validate(const AslOptions& options) {
  const asl::Validation validation = asl::validate_definition(
      base::read_file(options.file), {.express = options.express, .least = asl::Severity::warning});
  if (options.json) {
    std::cout << base::json_text(asl::to_json(validation)) << '\n';
  } else {
    for (const asl::Diagnostic& problem : validation.diagnostics)
      std::cout << base::escape_line(show(problem)) << '\n';
    std::cout << (validation.ok ? "OK" : "FAIL") << '\n';
  }
  return validation.ok ? 0 : 1;
}

// One line for each event that a person wants to see.
void show_progress(const asl::HistoryEvent& event) {
  std::cerr << base::to_iso8601(event.time) << "  " << event.type;
  for (const char* key : {"name", "resource", "error", "cause"}) {
    const auto* value = event.members.if_contains(key);
    if (value != nullptr && value->is_string()) {
      std::cerr << "  " << base::escape_line(value->get_string());
    }
  }
  std::cerr << '\n';
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  for (const char byte : base::random_bytes(sizeof(seed))) {
    seed = seed << 8U | static_cast<unsigned char>(byte);
  }
  return seed;
}

int run(const AslOptions& options) {
  const auto machine = asl::StateMachine::parse(base::read_file(options.file));
  asl::MockAnswers answers;
  if (!options.mock.empty()) {
    answers =
        asl::MockAnswers::parse(base::read_file(options.mock, kMaxMockBytes), options.test_case);
  }
  asl::LocalRunOptions run_options;
  const std::string name = base::random_uuid();
  run_options.start.name = name;
  run_options.start.machine_name = "local";
  run_options.start.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:local";
  run_options.start.arn = "arn:aws:states:us-east-1:000000000000:execution:local:" + name;
  run_options.start.role_arn = "arn:aws:iam::000000000000:role/local";
  run_options.start.input =
      asl::make_data(base::parse_json(options.input, "the input", {.max_depth = 200}));
  run_options.start.time = base::SystemClock().now();
  run_options.start.seed = random_seed();
  if (!options.fast_clock) {
    run_options.wait = [](base::Timestamp until) { std::this_thread::sleep_until(until); };
  }
  if (!options.json || isatty(STDERR_FILENO) != 0) run_options.observe = show_progress;
  const asl::LocalRun result = asl::run_locally(machine, answers, run_options);
  if (options.json) {
    base::json::object object{{"status", asl::to_string(result.status)}};
    if (result.output != nullptr) object["output"] = base::to_text(*result.output);
    if (result.error) object["error"] = *result.error;
    if (result.cause) object["cause"] = *result.cause;
    base::json::array history;
    for (const asl::HistoryEvent& event : result.history) history.push_back(asl::to_json(event));
    object["history"] = std::move(history);
    std::cout << base::json_text(object) << '\n';
    return 0;
  }
  std::cout << asl::to_string(result.status) << '\n';
  if (result.output != nullptr) std::cout << base::to_pretty_text(*result.output);
  if (result.error) std::cout << "error: " << base::escape_line(*result.error) << '\n';
  if (result.cause) std::cout << "cause: " << base::escape_line(*result.cause) << '\n';
  return result.status == asl::Status::succeeded ? 0 : 1;
}

int graph(const AslOptions& options) {
  const auto machine = asl::StateMachine::parse(base::read_file(options.file));
  if (!options.output.empty()) {
    base::write_file_atomically(options.output, asl::draw_svg(machine));
  } else if (isatty(STDOUT_FILENO) != 0) {
    std::cout << asl::draw_text(machine);
  } else {
    std::cout << asl::draw_svg(machine);
  }
  return 0;
}

}  // namespace

void add_validate_command(CLI::App& group, std::function<int()>& selected) {
  const auto options = std::make_shared<AslOptions>();
  CLI::App* command = group.add_subcommand(
      "validate", "Report every problem of a definition; exits 1 if there is one");
  command->add_option("file", options->file, "The state machine, in Amazon States Language")
      ->required();
  command->add_flag("--json", options->json, "Print one JSON object");
  command->add_flag("--express", options->express, "Check as an Express machine");
  command->callback([&selected, options] { selected = [options] { return validate(*options); }; });
}

void add_asl_commands(CLI::App& app, std::function<int()>& selected) {
  CLI::App* asl = app.add_subcommand("asl", "Check, run and draw state machines on this computer");
  asl->require_subcommand(1);
  const auto options = std::make_shared<AslOptions>();
  const auto add = [&](const char* name, const char* help, int (*work)(const AslOptions&)) {
    CLI::App* command = asl->add_subcommand(name, help);
    command->add_option("file", options->file, "The state machine, in Amazon States Language")
        ->required();
    command->callback(
        [&selected, options, work] { selected = [options, work] { return work(*options); }; });
    return command;
  };
  add_validate_command(*asl, selected);
  CLI::App* run_command =
      add("run", "Run a machine in this process; exits 1 if it does not succeed", run);
  run_command->add_option("--input", options->input, "The execution's input, as JSON");
  CLI::Option* mock = run_command->add_option(
      "--mock", options->mock,
      "JSON file with the answers of tasks by state name and attempt, or a mock configuration of "
      "Step Functions Local");
  run_command
      ->add_option("--test-case", options->test_case,
                   "Of a mock configuration: CASE, or MACHINE/CASE")
      ->needs(mock);
  run_command->add_flag("--fast-clock", options->fast_clock, "Jump over waits and retries");
  run_command->add_flag("--json", options->json, "Print one JSON object with the history");
  CLI::App* graph_command =
      add("graph", "Draw a machine: text on a terminal, SVG elsewhere", graph);
  graph_command->add_option("--output", options->output, "Write the SVG to this file");
}

}  // namespace andon::cli
