// SPDX-License-Identifier: Apache-2.0
// The one EXIF tag that changes what a picture shows: its orientation. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "vision/pixels/image.hpp"

namespace andon::vision {

// The value of tag 0x0112 (CIPA DC-008, 4.6.4): the row and the column that come first.
enum class Orientation : std::uint8_t {
  upright = 1,
  mirrored = 2,
  upside_down = 3,
  flipped = 4,
  transposed = 5,
  turn_right = 6,  // the picture must be turned clockwise to be upright
  transversed = 7,
  turn_left = 8,
};

// Reads a JPEG's APP1 segment; upright where there is none or it cannot be understood, since a
// broken note must not hide a good picture.
[[nodiscard]] Orientation read_orientation(std::string_view jpeg);

// The same out of a bare EXIF block, as PNG files have it.
[[nodiscard]] Orientation read_exif_orientation(std::string_view exif);

// `image` as it was meant to be seen; `spare` is memory to use and holds the old picture after.
void make_upright(Image& image, Image& spare, Orientation orientation);

}  // namespace andon::vision
