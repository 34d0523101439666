// SPDX-License-Identifier: Apache-2.0
#include "edge/commands/remote_user.hpp"

#include <string>

#include "base/error/error.hpp"

namespace andon::edge {

RunAs unprivileged_user(std::string_view name) {
  RunAs who = resolve_run_as(name);
  if (is_privileged(who)) {
    throw base::Error(base::ErrorCode::failed_precondition,
                      "commands from afar run as a user without rights on this device, and '" +
                          std::string(name) + "' has all; name another with --remote-user");
  }
  if (name.empty()) {
    throw base::Error(
        base::ErrorCode::failed_precondition,
        "the agent of this device is not root and has no user to give but its own, who "
        "can read the device's key; name that with --remote-user where it is wanted");
  }
  return who;
}

}  // namespace andon::edge
