// SPDX-License-Identifier: Apache-2.0
// `andon asl validate|run|graph`: state machines on this computer, without a server.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace andon::cli {

// `selected` is set to what runs the command, once the command line names one of these.
void add_asl_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
