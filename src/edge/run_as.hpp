// SPDX-License-Identifier: Apache-2.0
// The user and group that a component's scripts run as ("runWith.posixUser"). Any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace andon::edge {

struct RunAs {
  std::optional<uid_t> user;  // empty: the agent's own
  std::optional<gid_t> group;
};

// "user", "user:group" or ""; names or numbers. An agent that is not root cannot switch: then the
// answer is its own user. Throws invalid_argument for an unknown name.
[[nodiscard]] RunAs resolve_run_as(std::string_view text);

}  // namespace andon::edge
