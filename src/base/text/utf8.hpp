// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629): told from other bytes, mended, cut at a limit, walked by code points. Names of
// files and what comes from outside may be any bytes; JSON, HTML and messages are UTF-8.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace andon::base {

// The bytes of the well-formed character at the start of `text`: 1 to 4, or 0 where there is none
// (cut off, overlong, a surrogate, beyond U+10FFFF, or `text` is empty).
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
// Each byte that belongs to no well-formed character becomes `replacement`.
[[nodiscard]] std::string to_valid_utf8(std::string_view text,
                                        std::string_view replacement = kReplacementCharacter);

// The beginning or the end of `text`: at most `max_bytes`, and no character cut in two.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);
[[nodiscard]] std::string_view utf8_suffix(std::string_view text, std::size_t max_bytes);

// The walk takes any bytes: one that is not the start of a character counts as a character by
// itself, so that nothing is lost, and a surrogate in three bytes (from JSON's \uD800) as one.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // bytes
};
// `offset` must be inside `text`.
[[nodiscard]] CodePoint code_point_at(std::string_view text, std::size_t offset);
[[nodiscard]] std::size_t count_code_points(std::string_view text);
[[nodiscard]] std::u32string to_code_points(std::string_view text);

void append_utf8(std::string& text, char32_t value);
[[nodiscard]] std::string to_utf8(std::u32string_view text);

}  // namespace andon::base
