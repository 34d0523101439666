// SPDX-License-Identifier: Apache-2.0
// `andon device add NAME`: makes a thing and a one-time token with which the device enrols itself.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `device` to `app`; `selected` is set to what main has to run when it was asked for.
void add_device_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
