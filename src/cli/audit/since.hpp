// SPDX-License-Identifier: Apache-2.0
// Points in time as people write them: 2026-11-22T10:00:00Z, 2026-11-22, or how long ago (30m, 12h,
// 7d). Pure; any thread.
#pragma once

#include <string_view>

#include "base/time/time.hpp"

namespace andon::cli {

// Throws invalid_argument naming `option`.
[[nodiscard]] base::Timestamp read_since(std::string_view text, base::Timestamp now,
                                         std::string_view option);

}  // namespace andon::cli
