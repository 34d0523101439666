// SPDX-License-Identifier: Apache-2.0
// Room: fit. Whether something would fit this device, before it is deployed. This is its command,
// `andon-edge fit`. Called from main; one thread.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::edge {

// As add_local_commands() does.
void add_fit_command(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::edge
