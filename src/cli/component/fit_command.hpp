// SPDX-License-Identifier: Apache-2.0
// `andon device fit`: whether a component would fit a device, as the device says.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_fit_command(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
