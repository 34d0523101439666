// SPDX-License-Identifier: Apache-2.0
// Text as JavaScript sees it: the case of letters, and the order of its strings. How it is walked
// by code points is base/text/utf8's. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/text/utf8.hpp"

namespace andon::query {

using base::append_utf8;
using base::code_point_at;
using base::CodePoint;
using base::count_code_points;
using base::to_code_points;
using base::to_utf8;

// Latin, Greek, Cyrillic and Armenian letters; others stay as they are.
[[nodiscard]] char32_t lower_case(char32_t value);
[[nodiscard]] char32_t upper_case(char32_t value);
// Order of JavaScript's strings: by UTF-16 code unit.
[[nodiscard]] int compare_utf16(std::string_view left, std::string_view right);

}  // namespace andon::query
