// SPDX-License-Identifier: Apache-2.0
// Small files that can be made again. Any thread; blocks.
#pragma once

#include <string_view>

#include "base/os/file.hpp"

namespace andon::edge {

namespace fs = base::fs;

// Whole or as it was whatever ends the process; not synced, so that a power cut may leave it empty
// or take it away.
void replace_file(const fs::path& path, std::string_view content, unsigned mode);

}  // namespace andon::edge
