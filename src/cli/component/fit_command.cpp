// SPDX-License-Identifier: Apache-2.0
#include "cli/component/fit_command.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "cli/component/components.hpp"
#include "cli/device/asked_command.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "fleet/command/command_request.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

struct Options {
  ServerChoice server;
  std::string name;
  std::string component;
  base::fs::path recipe;
  int limit_s = 0;
  bool as_json = false;
};

int fit(const Options& options) {
  if (options.component.empty() == options.recipe.empty()) {
    throw options::UsageError("say what shall fit: --component NAME@VERSION, or --recipe FILE");
  }
  json::object body{{"kind", "fit"}};
  if (options.limit_s > 0) body["deadlineSeconds"] = options.limit_s;
  if (options.component.empty()) {
    body["recipe"] = base::read_file(options.recipe, fleet::kMostCommandRecipe);
  } else {
    ServerClient server(options.server);
    body["recipe"] = served_recipe(server, find_component(server, options.component));
  }
  return print_examination(options.server,
                           "/andon/v1/things/" + base::percent_encode(options.name) + "/commands",
                           body, options.as_json);
}

}  // namespace

void add_fit_command(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command =
      noun(app, "device", "Devices of the fleet")
          ->add_subcommand("fit",
                           "Ask the device whether a component would fit it: platform, processor "
                           "features, disk; exit code 9 where it would not");
  add_server_options(*command, options->server);
  command->add_flag("--json", options->as_json, "Print JSON");
  command->add_option("name", options->name, "Thing name")->required();
  command
      ->add_option("-c,--component", options->component,
                   "One that is registered; without a version its newest")
      ->type_name("NAME@VERSION");
  command->add_option("--recipe", options->recipe, "The recipe of another")->type_name("FILE");
  command->add_option("--timeout", options->limit_s, "Seconds that it may take; 0: as usual")
      ->check(CLI::Range(0, static_cast<int>(fleet::kLongestCommand.count())))
      ->capture_default_str();
  command->callback([options, &selected] { selected = [options] { return fit(*options); }; });
}

}  // namespace andon::cli
