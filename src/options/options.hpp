// SPDX-License-Identifier: Apache-2.0
// What every program of andon has in common at its start: each long option may also stand in the
// environment (--api-port: ANDON_API_PORT) and in a YAML file (--config FILE; options of a
// subcommand are a map of its name). A flag wins over the environment, that over the file.
// Called from main, before other threads are started.
#pragma once

#include <functional>
#include <string_view>

namespace CLI {
class App;
}

namespace andon::options {

// Adds --config, --log-level, --log-format and --version, and names the program.
void add_standard_options(CLI::App& app, std::string_view program);

// Parses the command line, the environment and the file, starts logging, runs `body` and returns
// the exit code: that of `body`, 2 for a usage error (also one that `body` finds: UsageError),
// base::exit_code for a base::Error, which is printed to stderr as "program: message". `app` must
// have gone through add_standard_options.
[[nodiscard]] int run_program(int argc, const char* const* argv, CLI::App& app,
                              const std::function<int()>& body);

}  // namespace andon::options
