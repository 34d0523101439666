// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/ycbcr.hpp"

#include <algorithm>

namespace andon::vision {
namespace {

// jdsample.c of libjpeg spreads its rounding over the pixels, to make no picture lighter.
constexpr ChromaRounding kBothHalved{8, 7};
constexpr ChromaRounding kColumnsHalved{4, 8};

}  // namespace

YcbcrRow ChromaWidener::row(const Image& image, int y, std::size_t place) {
  const YcbcrPlanes& planes = image.planes;
  const bool has_half_rows = planes.chroma == YcbcrPlanes::Chroma::half_columns_and_rows;
  const int row = has_half_rows ? y / 2 : y;
  // The chroma rows lie between the luma rows: of each two the first is nearer to the row above.
  const int wanted = has_half_rows ? (y % 2 == 0 ? row - 1 : row + 1) : row;
  const int near = std::clamp(wanted, 0, planes.chroma_rows - 1);
  const std::size_t count = planes.chroma_row_bytes;
  std::vector<std::uint8_t>& wide = wide_[place];
  wide.resize(4 * count);
  const auto widen = [&](const std::vector<std::uint8_t>& plane, std::uint8_t* out) {
    kernels_.widen_chroma(plane.data() + static_cast<std::size_t>(near) * count,
                          plane.data() + static_cast<std::size_t>(row) * count, count,
                          has_half_rows ? kBothHalved : kColumnsHalved, out);
  };
  widen(planes.blue, wide.data());
  widen(planes.red, wide.data() + 2 * count);
  return {planes.luma.data() + static_cast<std::size_t>(y) * planes.luma_row_bytes, wide.data(),
          wide.data() + 2 * count};
}

}  // namespace andon::vision
