// SPDX-License-Identifier: Apache-2.0
// What kind of file system a path is on. Any thread.
#pragma once

#include "base/os/file.hpp"

namespace andon::inspect {

// Shared with other machines, or made by a program (FUSE): the kernel gives no events of what they
// do there. False where it cannot be told.
[[nodiscard]] bool is_on_network(const base::fs::path& path);

}  // namespace andon::inspect
