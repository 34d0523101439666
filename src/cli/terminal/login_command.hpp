// SPDX-License-Identifier: Apache-2.0
// `andon login URL`, `andon logout`, `andon status`: the servers that this user works with.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_login_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
