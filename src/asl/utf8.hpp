// SPDX-License-Identifier: Apache-2.0
// UTF-8 text by code points, and the case of letters. Pure; any thread.
// Bytes that are no UTF-8 count as one character each, so that nothing is lost.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace andon::asl {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // bytes
};
// `offset` must be inside `text`.
[[nodiscard]] CodePoint code_point_at(std::string_view text, std::size_t offset);
void append_utf8(std::string& text, char32_t value);
[[nodiscard]] std::u32string to_code_points(std::string_view text);
[[nodiscard]] std::string to_utf8(std::u32string_view text);
[[nodiscard]] std::size_t count_code_points(std::string_view text);

// Latin, Greek, Cyrillic and Armenian letters; others stay as they are.
[[nodiscard]] char32_t lower_case(char32_t value);
[[nodiscard]] char32_t upper_case(char32_t value);
// Order of JavaScript's strings: by UTF-16 code unit.
[[nodiscard]] int compare_utf16(std::string_view left, std::string_view right);

}  // namespace andon::asl
