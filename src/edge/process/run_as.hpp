// SPDX-License-Identifier: Apache-2.0
// The user and groups that a component's scripts run as: what "runWith.posixUser" names, or else
// the agent's default. Any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::edge {

struct RunAs {
  std::optional<uid_t> user;  // empty: the agent's own
  std::optional<gid_t> group;
  std::vector<gid_t> groups;  // beside it, as the system's group file has them
  std::string name;           // empty where the user has none
};

// "user", "user:group" or "" (the agent's own); names or numbers. A user that the system does not
// know has the group that is named, or nogroup. Throws invalid_argument for an unknown name,
// failed_precondition where it is another user than the agent's and that is not root.
[[nodiscard]] RunAs resolve_run_as(std::string_view text);

// Does it have all rights here? An agent that is not root has none to give.
[[nodiscard]] bool is_privileged(const RunAs& who);

// The first directory on the way to `path` that its mode closes to `who`; empty where none is. For
// explanations only: what counts is what the kernel says.
[[nodiscard]] std::string closed_directory(const std::string& path, const RunAs& who);

}  // namespace andon::edge
