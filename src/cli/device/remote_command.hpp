// SPDX-License-Identifier: Apache-2.0
// `andon device logs`, `restart`, `stop`, `components`, `doctor`, `support-bundle`, `frame`,
// `shell`, `copy`, `commands`: what is asked of a device while one waits.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_remote_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
