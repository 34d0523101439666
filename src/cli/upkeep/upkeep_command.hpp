// SPDX-License-Identifier: Apache-2.0
// Room: upkeep. `andon storage` and `andon backup`: what the server keeps, and copies of it. Called
// by main before options are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_upkeep_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
