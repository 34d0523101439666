// SPDX-License-Identifier: Apache-2.0
// `andon`, the operator's command line: reads options and runs the command that was asked for.
#include <CLI/CLI.hpp>
#include <functional>

#include "cli/asl_command.hpp"
#include "cli/demo.hpp"
#include "cli/device_command.hpp"
#include "cli/model_command.hpp"
#include "cli/model_optimize_command.hpp"
#include "options/options.hpp"

int main(int argc, char** argv) {
  CLI::App app{"andon: ships vision models to the factory floor"};
  app.require_subcommand(1);
  std::function<int()> selected;
  andon::cli::add_asl_commands(app, selected);
  andon::cli::add_demo_command(app, selected);
  andon::cli::add_device_commands(app, selected);
  andon::cli::add_model_commands(app, selected);
  andon::cli::add_model_optimize_commands(app, selected);
  andon::options::add_standard_options(app, "andon");
  return andon::options::run_program(argc, argv, app, [&] { return selected(); });
}
