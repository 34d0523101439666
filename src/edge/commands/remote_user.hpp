// SPDX-License-Identifier: Apache-2.0
// As whom those run programs and copy files here whom the server lets do so. Any thread.
#pragma once

#include <string_view>

#include "edge/process/run_as.hpp"

namespace andon::edge {

// The user that is named. Throws failed_precondition for one with all rights, and where none is
// named to an agent that is not root: its own can read the device's key.
[[nodiscard]] RunAs unprivileged_user(std::string_view name);

}  // namespace andon::edge
