// SPDX-License-Identifier: Apache-2.0
// `andon device list|show|remove` and `andon group …`: the fleet as the server knows it.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Beside `device add`; adds `device` where it is not there yet.
void add_fleet_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
