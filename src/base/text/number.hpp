// SPDX-License-Identifier: Apache-2.0
// Numbers as text, whatever the locale. A text is a number as a whole or not at all: no blanks, no
// '+', nothing behind it. Pure; any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace andon::base {

[[nodiscard]] std::optional<std::int64_t> parse_int64(std::string_view text, int radix = 10);
[[nodiscard]] std::optional<std::uint64_t> parse_uint64(std::string_view text, int radix = 10);

// Nothing for what is below `least` or above `most`, too; unsigned types take no '-'.
template <std::integral Number>
[[nodiscard]] std::optional<Number> parse_integer(
    std::string_view text, Number least = std::numeric_limits<Number>::min(),
    Number most = std::numeric_limits<Number>::max()) {
  const auto number = [&] {
    if constexpr (std::is_signed_v<Number>) {
      return parse_int64(text);
    } else {
      return parse_uint64(text);
    }
  }();
  if (!number || *number < least || *number > most) return std::nullopt;
  return static_cast<Number>(*number);
}

// A decimal number, with or without fraction and exponent; "nan" and "inf" are none.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);

// The shortest text that reads back as the same number: 0.87, 2, 1e+30.
[[nodiscard]] std::string number_text(double number);

}  // namespace andon::base
