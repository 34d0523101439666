// SPDX-License-Identifier: Apache-2.0
// `andon asl validate|run|graph`: state machines on this computer, without a server.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

// `selected` is set to what runs the command, once the command line names one of these.
void add_asl_commands(CLI::App& app, std::function<int()>& selected);
// `validate` alone, for another group of commands that has it, too.
void add_validate_command(CLI::App& group, std::function<int()>& selected);

}  // namespace andon::cli
