// SPDX-License-Identifier: Apache-2.0
// A picture in memory: 8-bit RGB, interleaved, rows without padding; or, where its user asked for
// it, the planes of a JPEG with the colours not yet mixed. Plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace andon::vision {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
};

// JFIF's Y, Cb and Cr, of which the last two have half the columns (4:2:2) or half the columns and
// rows (4:2:0), rounded up.
struct YcbcrPlanes {
  enum class Chroma : std::uint8_t { half_columns, half_columns_and_rows } chroma{};
  std::size_t luma_row_bytes = 0;
  std::size_t chroma_row_bytes = 0;
  int chroma_rows = 0;
  std::vector<std::uint8_t> luma;
  std::vector<std::uint8_t> blue;
  std::vector<std::uint8_t> red;
};

struct Image {
  Size size;
  std::vector<std::uint8_t> rgb;  // size.height rows of size.width * 3 bytes; empty if has_planes
  Size full{};                    // of the file, where it was decoded at less than that
  bool has_planes = false;
  YcbcrPlanes planes{};  // whose buffers are kept where the picture is not in them

  [[nodiscard]] Size full_size() const { return full.width > 0 ? full : size; }

  [[nodiscard]] std::size_t row_bytes() const { return static_cast<std::size_t>(size.width) * 3; }
  [[nodiscard]] const std::uint8_t* row(int y) const {
    return rgb.data() + static_cast<std::size_t>(y) * row_bytes();
  }
  [[nodiscard]] std::uint8_t* row(int y) {
    return rgb.data() + static_cast<std::size_t>(y) * row_bytes();
  }
};

}  // namespace andon::vision
