// SPDX-License-Identifier: Apache-2.0
// `andon device metrics NAME` and `andon device alarms`: how devices do, and what is not as it
// should be.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_metrics_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
