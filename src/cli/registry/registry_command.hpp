// SPDX-License-Identifier: Apache-2.0
// `andon model list|show|register|approve|reject`: the models that a server knows.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Beside the commands that measure and shrink models.
void add_registry_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
