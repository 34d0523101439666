// SPDX-License-Identifier: Apache-2.0
// A file that was synced is lost in a power cut all the same where its name, or that of a directory
// above it, was not. Any thread; blocks.
#pragma once

#include "base/os/file.hpp"

namespace andon::base {

// Makes the name of what was made at `path` last: syncs the directory that it is in. Nothing where
// this process may not read that directory: whoever made it has answered for it.
void sync_name(const fs::path& path);

}  // namespace andon::base
