// SPDX-License-Identifier: Apache-2.0
#include "query/document/utf8.hpp"

#include <algorithm>

namespace andon::query {
namespace {

// Even code points are capitals and the next one is their small letter.
bool in_even_pairs(char32_t c) {
  return (c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177) ||
         (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
         (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF) ||
         (c >= 0x200 && c <= 0x21F) || (c >= 0x222 && c <= 0x233) || (c >= 0x370 && c <= 0x373);
}

bool in_odd_pairs(char32_t c) {
  return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E) || (c >= 0x4C1 && c <= 0x4CE) ||
         (c >= 0x1CD && c <= 0x1DC);
}

char32_t utf16_rank(char32_t c) {
  // Surrogates (code points above 0xFFFF) sort before U+E000..U+FFFF.
  return c >= 0x10000 ? 0xD800 + ((c - 0x10000) >> 10U) : c;
}

}  // namespace

char32_t lower_case(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3AB && c != 0x3A2) ||
      (c >= 0x410 && c <= 0x42F)) {
    return c + 32;
  }
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x531 && c <= 0x556) return c + 48;
  if (c == 0x178) return 0xFF;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (in_even_pairs(c)) return c | 1U;
  if (in_odd_pairs(c)) return c % 2 == 1 ? c + 1 : c;
  return c;
}

char32_t upper_case(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3CB && c != 0x3C2) ||
      (c >= 0x430 && c <= 0x44F)) {
    return c - 32;
  }
  if (c == 0x3C2) return 0x3A3;
  if (c == 0xB5) return 0x39C;
  if (c >= 0x450 && c <= 0x45F) return c - 80;
  if (c >= 0x561 && c <= 0x586) return c - 48;
  if (c == 0xFF) return 0x178;
  if (c == 0x3AC) return 0x386;
  if (c >= 0x3AD && c <= 0x3AF) return c - 37;
  if (c == 0x3CC) return 0x38C;
  if (c == 0x3CD || c == 0x3CE) return c - 63;
  if (in_even_pairs(c)) return c & ~char32_t{1};
  if (in_odd_pairs(c)) return c % 2 == 0 ? c - 1 : c;
  return c;
}

int compare_utf16(std::string_view left, std::string_view right) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() && j < right.size()) {
    const CodePoint a = code_point_at(left, i);
    const CodePoint b = code_point_at(right, j);
    if (a.value != b.value) {
      const char32_t rank_a = utf16_rank(a.value);
      const char32_t rank_b = utf16_rank(b.value);
      if (rank_a != rank_b) return rank_a < rank_b ? -1 : 1;
      return a.value < b.value ? -1 : 1;
    }
    i += a.length;
    j += b.length;
  }
  if (i < left.size()) return 1;
  return j < right.size() ? -1 : 0;
}

}  // namespace andon::query
