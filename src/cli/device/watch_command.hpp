// SPDX-License-Identifier: Apache-2.0
// `andon device watch`: what changes on devices, as the server hears of it.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_watch_command(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
