// SPDX-License-Identifier: Apache-2.0
// Names of files are bytes; JSON and HTML are UTF-8. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::report {

// Bytes that are not UTF-8 become '?'.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace andon::report
