// SPDX-License-Identifier: Apache-2.0
// `andon`, the operator's command line: reads options and runs the command that was asked for.
#include <CLI/CLI.hpp>
#include <functional>

#include "cli/access/access_command.hpp"
#include "cli/access/console_command.hpp"
#include "cli/access/consumer_command.hpp"
#include "cli/apply/apply_command.hpp"
#include "cli/audit/audit_command.hpp"
#include "cli/component/component_command.hpp"
#include "cli/component/fit_command.hpp"
#include "cli/demo/demo.hpp"
#include "cli/deployment/deployment_command.hpp"
#include "cli/device/device_command.hpp"
#include "cli/device/fleet_command.hpp"
#include "cli/device/metrics_command.hpp"
#include "cli/device/remote_command.hpp"
#include "cli/device/watch_command.hpp"
#include "cli/events/events_command.hpp"
#include "cli/function/function_command.hpp"
#include "cli/model/command.hpp"
#include "cli/model/optimize_command.hpp"
#include "cli/registry/registry_command.hpp"
#include "cli/result/result_command.hpp"
#include "cli/states/asl_command.hpp"
#include "cli/terminal/env_command.hpp"
#include "cli/terminal/login_command.hpp"
#include "cli/upkeep/upkeep_command.hpp"
#include "cli/workflow/workflow_command.hpp"
#include "options/options.hpp"

int main(int argc, char** argv) {
  CLI::App app{"andon: ships vision models to the factory floor"};
  app.require_subcommand(1);
  std::function<int()> selected;
  andon::cli::add_login_commands(app, selected);
  andon::cli::add_env_command(app, selected);
  andon::cli::add_device_commands(app, selected);
  andon::cli::add_fleet_commands(app, selected);
  andon::cli::add_remote_commands(app, selected);
  andon::cli::add_metrics_commands(app, selected);
  andon::cli::add_watch_command(app, selected);
  andon::cli::add_fit_command(app, selected);
  andon::cli::add_registry_commands(app, selected);
  andon::cli::add_model_commands(app, selected);
  andon::cli::add_model_optimize_commands(app, selected);
  andon::cli::add_component_commands(app, selected);
  andon::cli::add_deployment_commands(app, selected);
  andon::cli::add_result_commands(app, selected);
  andon::cli::add_workflow_commands(app, selected);
  andon::cli::add_function_commands(app, selected);
  andon::cli::add_events_commands(app, selected);
  andon::cli::add_apply_commands(app, selected);
  andon::cli::add_access_commands(app, selected);
  andon::cli::add_console_commands(app, selected);
  andon::cli::add_consumer_commands(app, selected);
  andon::cli::add_audit_commands(app, selected);
  andon::cli::add_upkeep_commands(app, selected);
  andon::cli::add_asl_commands(app, selected);
  andon::cli::add_demo_command(app, selected);
  andon::options::add_standard_options(app, "andon");
  return andon::options::run_program(argc, argv, app, [&] { return selected(); });
}
