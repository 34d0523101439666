// SPDX-License-Identifier: Apache-2.0
// A result of the server's as a line for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::cli {

// Without control characters, on one line.
[[nodiscard]] std::string one_line(std::string_view text);

// "1234  2026-11-22T10:00:00.123Z  line-1  tag.jpg  scratch 0.8700  NG  CONFIRMED".
[[nodiscard]] std::string result_line(const base::json::object& result);

}  // namespace andon::cli
