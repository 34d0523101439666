// SPDX-License-Identifier: Apache-2.0
// Room: device. The fleet from the command line: enrolling, looking, grouping, removing. Here is
// what other commands ask of it. One thread.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/server_choice.hpp"

namespace andon::cli {

// Names of all things, or of those in the group and in groups below it, sorted.
[[nodiscard]] std::vector<std::string> things_of(ServerClient& server, const std::string& group);

// The path of a core device, and of what lies below it ("/effectiveDeployments").
[[nodiscard]] std::string core_device_path(const std::string& name, const std::string& below = "");

}  // namespace andon::cli
