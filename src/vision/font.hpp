// SPDX-License-Identifier: Apache-2.0
// The built-in letters: 5 pixels wide, 7 high, printable ASCII. Internal to vision/.
#pragma once

#include <string_view>

namespace andon::vision {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 7;

// 35 characters, row by row, '#' where there is ink; the glyph of '?' for what has none.
[[nodiscard]] std::string_view glyph(char character);

}  // namespace andon::vision
