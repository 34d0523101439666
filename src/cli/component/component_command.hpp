// SPDX-License-Identifier: Apache-2.0
// `andon component list|show|create|delete`.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_component_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
