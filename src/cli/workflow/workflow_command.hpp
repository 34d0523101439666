// SPDX-License-Identifier: Apache-2.0
// `andon workflow ...`: state machines on a server, from the command line.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// `selected` is set to what runs the command, once the command line names one of these.
void add_workflow_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
