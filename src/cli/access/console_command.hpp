// SPDX-License-Identifier: Apache-2.0
// `andon user password|sessions|sign-out` and `andon console`: how people sign in to the console.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// `selected` runs what was asked for.
void add_console_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
