// SPDX-License-Identifier: Apache-2.0
// Whole numbers by XPath pictures: 1, 001, #,##0, w, Ww, I, a, with ';o' for ordinals; written and
// read. Internal to asl; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::query::jsonata {

struct IntegerPicture {
  enum class Style : std::uint8_t { decimal, letters, roman, words };
  enum class Case : std::uint8_t { lower, upper, title };

  Style style = Style::decimal;
  Case letter_case = Case::lower;
  bool ordinal = false;
  // Of a decimal picture:
  char32_t zero = '0';
  std::size_t least_digits = 1;
  std::size_t optional_digits = 0;
  struct Separator {
    std::size_t position = 0;  // digits to its right
    char32_t character = ',';
  };
  std::vector<Separator> separators;
  std::size_t regular_group = 0;  // every so many digits the same separator; 0: as listed
  std::size_t parse_width = 0;    // digits that reading takes at most; 0: all

  // Throws Error (D3130, D3131).
  [[nodiscard]] static IntegerPicture parse(std::string_view text);
  [[nodiscard]] std::string format(double number) const;
  // The number that `text` begins with; `used` is how many bytes it takes.
  struct Reading {
    double number = 0;
    std::size_t used = 0;
  };
  [[nodiscard]] std::optional<Reading> read(std::string_view text) const;
};

}  // namespace andon::query::jsonata
