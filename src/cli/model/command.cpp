// SPDX-License-Identifier: Apache-2.0
#include "cli/model/command.hpp"

#include <CLI/CLI.hpp>

#include "cli/model/bench_command.hpp"
#include "cli/model/compare_command.hpp"
#include "cli/model/eval_command.hpp"
#include "cli/model/inspect_command.hpp"
#include "cli/terminal/subcommand.hpp"

namespace andon::cli {

void add_model_commands(CLI::App& app, std::function<int()>& selected) {
  auto* model = noun(app, "model", "Models: register and approve, measure, make smaller");
  add_model_eval_command(*model, selected);
  add_model_bench_command(*model, selected);
  add_model_compare_command(*model, selected);
  add_model_inspect_command(*model, selected);
}

}  // namespace andon::cli
