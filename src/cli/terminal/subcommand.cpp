// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/subcommand.hpp"

#include <CLI/CLI.hpp>

namespace andon::cli {
namespace {

std::string plural(const std::string& name) {
  if (!name.ends_with("ry")) return name + "s";  // "key" has keys, "repository" repositories
  return name.substr(0, name.size() - 1) + "ies";
}

}  // namespace

CLI::App* noun(CLI::App& app, const std::string& name, const std::string& help) {
  for (CLI::App* known : app.get_subcommands([](CLI::App*) { return true; })) {
    if (known->get_name() == name) return known;
  }
  CLI::App* made = app.add_subcommand(name, help);
  made->alias(plural(name));
  made->require_subcommand(1);
  return made;
}

}  // namespace andon::cli
