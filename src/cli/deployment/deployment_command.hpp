// SPDX-License-Identifier: Apache-2.0
// `andon deploy TARGET` and `andon deployment list|show|watch|cancel|rollback`.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_deployment_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
