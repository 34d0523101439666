// SPDX-License-Identifier: Apache-2.0
// One command to a device from the command line: asked for, its answers read as they come, to its
// end. One thread.
#pragma once

#include <functional>
#include <string>

#include "base/json/json.hpp"
#include "cli/terminal/server_choice.hpp"

namespace andon::cli {

// An answer as the API has it (fleet/command/command_answer.hpp): {"sequence": 1, "text": ...}.
using OnAnswer = std::function<void(const base::json::object& answer)>;

// `path` is that of StartCommand, RunShell or CopyFile. Gives what the device said at the end.
// Throws what ended it otherwise, with the error's code.
base::json::object carry_through(ServerClient& server, const std::string& path,
                                 const base::json::object& body, const OnAnswer& on_answer);

// One that looks the device over, a row a check (doctor, fit): prints what was found. Gives the
// exit code, which is not 0 where something is bad.
int print_examination(const ServerChoice& choice, const std::string& path,
                      const base::json::object& body, bool as_json);

}  // namespace andon::cli
