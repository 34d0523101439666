// SPDX-License-Identifier: Apache-2.0
// Room: result. What devices found, from the command line: `andon result list|tail|show|counts|
// shifts|export|confirm|overrule`. One thread.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// Adds `result` to `app`; `selected` is set to what main has to run when it was asked for.
void add_result_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
