// SPDX-License-Identifier: Apache-2.0
// Opens a file that a component has named, with no more rights than components have: an agent that
// is root must not hand out what only root may read. Any thread; changes nothing but the calling
// thread's rights, and those for the time of the call.
#pragma once

#include <string>

#include "base/os/file.hpp"

namespace andon::edge {

// `user` as resolve_run_as() reads it. Throws base::Error (not_found, permission_denied and the
// like). Waits for nobody: a pipe or a device is opened as it is.
[[nodiscard]] base::UniqueFd open_input_file(const base::fs::path& file, const std::string& user);

}  // namespace andon::edge
