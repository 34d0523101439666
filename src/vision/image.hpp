// SPDX-License-Identifier: Apache-2.0
// A picture in memory: 8-bit RGB, interleaved, rows without padding. Plain value.
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

struct Image {
  Size size;
  std::vector<std::uint8_t> rgb;  // size.height rows of size.width * 3 bytes
  Size full{};                    // of the file, where it was decoded at less than that

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
