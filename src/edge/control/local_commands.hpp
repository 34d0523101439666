// SPDX-License-Identifier: Apache-2.0
// What the command line of a device does beside running its agent: `andon-edge components`,
// `deploy`, `logs`, `doctor` and so on. Called from main; one thread.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::edge {

// Adds the commands to `app`; the one that is parsed puts what it does into `selected`, which gives
// the exit code.
void add_local_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::edge
