// SPDX-License-Identifier: Apache-2.0
// The built-in letters as dots: 5 wide and 7 high, and 2 below the line; printable ASCII.
// canvas.hpp draws smooth lines through the dots. Internal to vision/.
#pragma once

#include <string_view>

namespace andon::vision {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kCapitalRows = 7;
inline constexpr int kGlyphHeight = kCapitalRows + 2;

// 45 characters, row by row, '#' where there is ink; the glyph of '?' for what has none.
[[nodiscard]] std::string_view glyph(char character);

}  // namespace andon::vision
