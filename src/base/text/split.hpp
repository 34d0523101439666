// SPDX-License-Identifier: Apache-2.0
// Texts of several parts. The parts are views of what was split. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::base {

// Every part, the empty ones too: "a//b" has three, "" has one.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
// What stands between blanks; no part is empty.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text,
                                                        std::string_view blanks = " \t");
// Takes the part before the first separator off the front, and the separator; all of it where there
// is none. For loops that must not keep all parts: while (!rest.empty()) take_part(rest, ',').
[[nodiscard]] std::string_view take_part(std::string_view& rest, char separator);

[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
[[nodiscard]] std::string join(std::span<const std::string_view> parts, std::string_view separator);

// Without the blanks at both ends.
[[nodiscard]] std::string_view trim(std::string_view text, std::string_view blanks = " \t");

}  // namespace andon::base
