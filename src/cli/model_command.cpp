// SPDX-License-Identifier: Apache-2.0
#include "cli/model_command.hpp"

#include <CLI/CLI.hpp>

#include "cli/model_bench_command.hpp"
#include "cli/model_compare_command.hpp"
#include "cli/model_eval_command.hpp"
#include "cli/model_inspect_command.hpp"

namespace andon::cli {

void add_model_commands(CLI::App& app, std::function<int()>& selected) {
  auto* model = app.add_subcommand("model", "How good and how fast a model is; smaller models");
  model->require_subcommand(1);
  add_model_eval_command(*model, selected);
  add_model_bench_command(*model, selected);
  add_model_compare_command(*model, selected);
  add_model_inspect_command(*model, selected);
}

}  // namespace andon::cli
