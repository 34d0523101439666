// SPDX-License-Identifier: Apache-2.0
// `andon consumer`: line computers and other systems that use the broker, with a certificate or a
// password of their own and what an IoT policy lets them do. Called by main before options are
// parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_consumer_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
