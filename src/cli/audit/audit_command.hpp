// SPDX-License-Identifier: Apache-2.0
// Room: audit. `andon audit`: who did what, on the command line; its export and its verification.
// Called by main before options are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_audit_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
