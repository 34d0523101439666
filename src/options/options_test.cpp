// SPDX-License-Identifier: Apache-2.0
#include "options/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "options/choice.hpp"
#include "options/usage_error.hpp"

namespace andon::options {
namespace {

using testing::HasSubstr;
using testing::Not;

enum class Pace { slow, fast };

// What a program with options of every kind made of its command line.
struct Outcome {
  int exit_code = -1;
  std::string err;
  std::string out;
  std::string name = "default";
  int port = 1;
  bool verbose = false;
  std::vector<std::string> hosts;
  bool ran_sub = false;
  Pace pace = Pace::slow;
};

Outcome run(std::vector<const char*> arguments) {
  Outcome outcome;
  CLI::App app("Tries the options.");
  app.add_option("--name", outcome.name, "A name");
  CLI::App* sub = app.add_subcommand("serve", "Serve");
  sub->add_option("--api-port", outcome.port, "A port")->required()->check(CLI::Range(1, 65535));
  sub->add_flag("--verbose", outcome.verbose, "Say more");
  sub->add_option("--host", outcome.hosts, "Hosts");
  sub->add_option("--pace", outcome.pace, "How fast")
      ->transform(choice<Pace>({{"slow", Pace::slow}, {"fast", Pace::fast}}));
  CLI::App* group = app.add_subcommand("thing", "Things");
  group->require_subcommand(1);
  CLI::App* add = group->add_subcommand("add", "Make one");
  int count = 0;
  std::string label;
  add->add_option("label", label, "What it is called");
  add->add_option("--count", count, "How many")->check(CLI::Range(1, 9));
  add->add_option("--verbosity", "A number")->check(CLI::Range(0.0, 1.0));
  add_standard_options(app, "program");
  arguments.insert(arguments.begin(), "/usr/bin/program");
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  outcome.exit_code = run_program(static_cast<int>(arguments.size()), arguments.data(), app, [&] {
    outcome.ran_sub = sub->parsed();
    if (outcome.name == "missing") throw base::Error(base::ErrorCode::not_found, "no thing 'x'");
    if (outcome.name == "defect") throw std::runtime_error("oops");
    if (outcome.name == "alone") throw UsageError("--name alone needs --host");
    return 0;
  });
  outcome.err = testing::internal::GetCapturedStderr();
  outcome.out = testing::internal::GetCapturedStdout();
  return outcome;
}

class Options : public testing::Test {
 protected:
  ~Options() override {
    for (const auto& name : variables) unsetenv(name.c_str());
  }
  void set_variable(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables.push_back(name);
  }
  const char* config(const std::string& text) {
    base::write_file_atomically(path, text);
    return path.c_str();
  }

  base::TemporaryDirectory directory;
  base::fs::path path = directory.path() / "program.yaml";
  std::vector<std::string> variables;
};

struct Precedence {
  std::optional<const char*> flag;
  std::optional<const char*> variable;
  std::optional<const char*> file;
  int expected;
};

TEST_F(Options, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  const Precedence table[] = {
      {"2", "3", "4", 2}, {"2", {}, "4", 2}, {"2", "3", {}, 2}, {"2", {}, {}, 2},
      {{}, "3", "4", 3},  {{}, "3", {}, 3},  {{}, {}, "4", 4},
  };
  for (const Precedence& row : table) {
    unsetenv("ANDON_API_PORT");
    if (row.variable) set_variable("ANDON_API_PORT", *row.variable);
    std::vector<const char*> arguments;
    if (row.file) {
      arguments = {"--config",
                   config("name: file\nserve:\n  api_port: " + std::string(*row.file) + "\n")};
    }
    arguments.push_back("serve");
    if (row.flag) arguments.insert(arguments.end(), {"--api-port", *row.flag});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.port, row.expected);
    EXPECT_EQ(outcome.name, row.file ? "file" : "default");
    EXPECT_TRUE(outcome.ran_sub);
  }
}

TEST_F(Options, TheFileHoldsFlagsAndListsAndChoosesNoSubcommand) {
  const char* file = config("serve: {api-port: 5, verbose: true, host: [a, 'b,c']}\n");
  const Outcome outcome = run({"serve", "--config", file});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.verbose);
  EXPECT_THAT(outcome.hosts, testing::ElementsAre("a", "b,c"));
  EXPECT_FALSE(run({"--config", file}).ran_sub);
  EXPECT_FALSE(run({"serve", "--config", config("serve: {api-port: 5, verbose: false}")}).verbose);
  EXPECT_EQ(run({"serve", "--api-port", "7", "--config", config("# nothing\n")}).port, 7);
}

TEST_F(Options, TheEnvironmentMayNameTheFileAndSetFlags) {
  set_variable("ANDON_CONFIG", config("serve: {api-port: 5}"));
  set_variable("ANDON_VERBOSE", "true");
  set_variable("ANDON_LOG_LEVEL", "debug");
  const Outcome outcome = run({"serve"});
  EXPECT_EQ(outcome.port, 5);
  EXPECT_TRUE(outcome.verbose);
  base::fs::remove(path);
  const Outcome missing = run({"serve", "--api-port", "1"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("ANDON_CONFIG names"));
}

TEST_F(Options, SaysInWhichLineTheFileIsWrong) {
  const std::pair<const char*, const char*> table[] = {
      {"name: a\nprot: 5\n", "line 2: there is no option 'prot'"},
      {"serve:\n  name: 5\n", "line 2: there is no option 'name' in 'serve'"},
      {"serve:\n  api-port: many\n", "line 2: --api-port"},
      {"serve:\n  api-port: 70000\n", "line 2: --api-port"},
      {"serve: 5\n", "line 1: 'serve' must be a map of options"},
      {"name: {a: b}\n", "line 1: 'name' needs a value"},
      {"name: [[a]]\n", "'name' may only list plain values"},
      {"- a\n", "line 1: it must be a map of options"},
      {"a: [\n", "line 2"},
      {"config: other.yaml\n", "there is no option 'config'"},
      {"version: true\n", "there is no option 'version'"},
  };
  for (const auto& [text, problem] : table) {
    const Outcome outcome = run({"--config", config(text), "serve"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr(problem)) << text;
    EXPECT_THAT(outcome.err, HasSubstr("program.yaml' is wrong: ")) << text;
  }
  EXPECT_THAT(run({"--config", "/nonexistent.yaml"}).err, HasSubstr("/nonexistent.yaml"));
}

TEST_F(Options, UsageErrorsAndErrorsOfTheProgramHaveTheirExitCodes) {
  EXPECT_EQ(run({"--unknown"}).exit_code, 2);
  const Outcome required = run({"serve"});
  EXPECT_EQ(required.exit_code, 2);
  EXPECT_THAT(required.err, HasSubstr("program: --api-port is required"));
  EXPECT_EQ(run({"--log-level", "loud"}).exit_code, 2);
  const Outcome missing = run({"--name", "missing"});
  EXPECT_EQ(missing.exit_code, base::exit_code(base::ErrorCode::not_found));
  EXPECT_EQ(missing.err, "program: no thing 'x'\n");
  const Outcome defect = run({"--name", "defect"});
  EXPECT_EQ(defect.exit_code, 1);
  EXPECT_EQ(defect.err, "program: internal error: oops\n");
}

TEST_F(Options, HelpNamesTheVariablesAndSucceedsWhateverTheFileHolds) {
  const Outcome help = run({"--config", config("prot: 5\n"), "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* text : {"--config", "ANDON_CONFIG", "ANDON_NAME", "ANDON_LOG_FORMAT"}) {
    EXPECT_THAT(help.out, HasSubstr(text));
  }
  EXPECT_THAT(run({"serve", "--help"}).out, HasSubstr("ANDON_API_PORT"));
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr("program 0."));
}

TEST_F(Options, WhatDoesNotExistIsNamedWithWhatIsNear) {
  const std::pair<std::vector<const char*>, const char*> table[] = {
      {{"frobnicate"}, "program has no command 'frobnicate'; there are: serve, thing\n"},
      {{"srve", "--api-port", "1"}, "program has no command 'srve'; did you mean 'serve'?\n"},
      {{"add"}, "program has no command 'add'; did you mean 'program thing add'?\n"},
      {{"help"}, "program has no command 'help'; did you mean '--help'?\n"},
      {{"thing", "ad"}, "program thing has no command 'ad'; did you mean 'add'?\n"},
      {{"thing"}, "program thing needs a command: add\n"},
      {{"thing", "add", "x", "--cuont", "1"},
       "program thing add has no option '--cuont'; did you mean '--count'?\n"},
      {{"thing", "add", "x", "--cuont=1"},
       "program thing add has no option '--cuont=1'; did you mean '--count'?\n"},
      {{"thing", "add", "--log-levle", "debug"},
       "program thing add has no option '--log-levle'; did you mean '--log-level'?\n"},
      {{"--count", "1", "thing", "add"},
       "'--count' is an option of 'program thing add': write it behind that\n"},
      {{"serve", "--frobnicate"}, "program serve has no option '--frobnicate'\n"},
      {{"serve", "--api-port", "1", "verbose"},
       "program serve takes no argument 'verbose'; did you mean '--verbose'?\n"},
      {{"thing", "add", "a", "b"}, "program thing add takes no further argument 'b'\n"},
      {{"serve", "--api-port", "1", "--pace", "fats"},
       "--pace: 'fats' is none of slow, fast; did you mean 'fast'?\n"},
      {{"serve", "--api-port", "1", "--pace", "1"}, "--pace: '1' is none of slow, fast\n"},
      {{"--name", "a", "--name", "b"}, "--name may be given once, and is given more often\n"},
      {{"serve", "\x1b[2J"}, "program serve takes no argument '\\x1b[2J'\n"},
  };
  for (const auto& [arguments, problem] : table) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << problem;
    EXPECT_THAT(outcome.err, HasSubstr(std::string("program: ") + problem));
    EXPECT_THAT(outcome.err, HasSubstr("See program")) << problem;
  }
  EXPECT_THAT(run({"thing", "ad"}).err, HasSubstr("See program thing --help."));
  EXPECT_THAT(run({"--config", config("nam: a\n"), "serve"}).err,
              HasSubstr("there is no option 'nam'; did you mean 'name'?"));
}

TEST_F(Options, AVariableForOneCommandDoesNotDisturbAnother) {
  set_variable("ANDON_COUNT", "0");
  set_variable("ANDON_PACE", "fast");
  const Outcome other = run({"serve", "--api-port", "1"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(other.pace, Pace::fast);
  const Outcome own = run({"thing", "add"});
  EXPECT_EQ(own.exit_code, 2);
  EXPECT_THAT(own.err, HasSubstr("--count"));
  EXPECT_THAT(own.err, HasSubstr("out of the environment: ANDON_COUNT=0"));
  EXPECT_THAT(run({"thing", "add", "--count", "77"}).err, Not(HasSubstr("environment")));
}

TEST_F(Options, HelpIsInWords) {
  const std::string serve = run({"serve", "--help"}).out;
  EXPECT_THAT(serve, HasSubstr("--pace slow|fast"));
  EXPECT_THAT(serve, HasSubstr("--api-port 1 to 65535"));
  const std::string add = run({"thing", "add", "--help"}).out;
  EXPECT_THAT(add, HasSubstr("--verbosity 0 to 1"));
  EXPECT_THAT(run({"--help"}).out, HasSubstr("--log-level debug|info|warning|error, default info"));
  for (const std::string& help : {serve, add, run({"--help"}).out}) {
    for (const char* riddle : {"->", "ENUM", "INT", "FLOAT", " in [", "{"}) {
      EXPECT_THAT(help, Not(HasSubstr(riddle)));
    }
  }
}

TEST_F(Options, StandardOptionsMayFollowTheSubcommand) {
  EXPECT_EQ(
      run({"serve", "--api-port", "5", "--log-level", "error", "--log-format", "json"}).exit_code,
      0);
}

TEST_F(Options, WhatDoesNotGoTogetherEndsLikeWhatCannotBeRead) {
  const Outcome outcome = run({"--name", "alone", "serve", "--api-port", "7"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "program: --name alone needs --host\nSee program serve --help.\n");
}

}  // namespace
}  // namespace andon::options
