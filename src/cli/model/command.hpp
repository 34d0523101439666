// SPDX-License-Identifier: Apache-2.0
// `andon model ...`: the instruments for models. Each subcommand has a file of its own, named
// model_<subcommand>_command, and is added here.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `model` to `app`; `selected` is set to what main has to run when it was asked for.
void add_model_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
