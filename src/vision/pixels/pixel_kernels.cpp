// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/pixel_kernels.hpp"

#include <algorithm>

#include "vision/pixels/pixel_kernels_portable.hpp"

namespace andon::vision {
namespace portable {

void scale_row(const std::uint8_t* row, std::size_t /*row_bytes*/, std::span<const ResizeTap> taps,
               std::int16_t* out) {
  for (const ResizeTap& tap : taps) {
    for (int c = 0; c < 3; ++c) {
      const int sum =
          row[tap.first + c] * tap.first_weight + row[tap.second + c] * tap.second_weight;
      *out++ = static_cast<std::int16_t>(sum >> 4);
    }
  }
}

void blend_rows(const std::int16_t* upper, std::int16_t upper_weight, const std::int16_t* lower,
                std::int16_t lower_weight, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const int sum = ((upper[i] * upper_weight) >> 16) + ((lower[i] * lower_weight) >> 16);
    out[i] = static_cast<std::uint8_t>((sum + 2) >> 2);
  }
}

void halve_rows(const std::uint8_t* upper, const std::uint8_t* lower, std::size_t pixels,
                std::uint8_t* out) {
  for (std::size_t i = 0; i < pixels; ++i, upper += 6, lower += 6, out += 3) {
    for (int c = 0; c < 3; ++c) {
      out[c] =
          static_cast<std::uint8_t>((upper[c] + upper[c + 3] + lower[c] + lower[c + 3] + 2) >> 2);
    }
  }
}

void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes) {
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      planes[c][i] = static_cast<float>(rgb[3 * i + c]) / divisor;
    }
  }
}

void widen_chroma(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                  ChromaRounding rounding, std::uint8_t* out) {
  const auto value = [&](std::size_t i) { return 3 * row[i] + near[i]; };
  for (std::size_t i = 0; i < count; ++i) {
    const int before = value(i == 0 ? 0 : i - 1);
    const int after = value(i + 1 == count ? i : i + 1);
    out[2 * i] = static_cast<std::uint8_t>((3 * value(i) + before + rounding.even) >> 4);
    out[2 * i + 1] = static_cast<std::uint8_t>((3 * value(i) + after + rounding.odd) >> 4);
  }
}

void widen_ends(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                ChromaRounding rounding, std::uint8_t* out) {
  // Each is made with one neighbour more than is kept.
  std::array<std::uint8_t, 4> two{};
  widen_chroma(near, row, 2, rounding, two.data());
  std::copy_n(two.begin(), 2, out);
  widen_chroma(near + count - 2, row + count - 2, 2, rounding, two.data());
  std::copy_n(two.begin() + 2, 2, out + 2 * count - 2);
}

namespace {

// JFIF 1.02's factors, of 65536 together.
constexpr int kRedOfRed = 91'881;     // 1.40200
constexpr int kGreenOfRed = 46'802;   // 0.71414
constexpr int kGreenOfBlue = 22'554;  // 0.34414
constexpr int kBlueOfBlue = 116'130;  // 1.77200
constexpr int kHalf = 32'768;

std::array<std::uint8_t, 3> mix(const YcbcrRow& row, std::size_t i) {
  const int luma = row.luma[i];
  const int blue = row.blue[i] - 128;
  const int red = row.red[i] - 128;
  const auto byte = [](int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); };
  return {byte(luma + ((kRedOfRed * red + kHalf) >> 16)),
          byte(luma + ((-kGreenOfBlue * blue - kGreenOfRed * red + kHalf) >> 16)),
          byte(luma + ((kBlueOfBlue * blue + kHalf) >> 16))};
}

}  // namespace

void mix_colours(const YcbcrRow& row, std::size_t pixels, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < pixels; ++i, rgb += 3) {
    const std::array<std::uint8_t, 3> pixel = mix(row, i);
    std::copy(pixel.begin(), pixel.end(), rgb);
  }
}

void mix_and_halve(const YcbcrRow& upper, const YcbcrRow& lower, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes) {
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::array<std::array<std::uint8_t, 3>, 4> four{mix(upper, 2 * i), mix(upper, 2 * i + 1),
                                                          mix(lower, 2 * i), mix(lower, 2 * i + 1)};
    for (std::size_t c = 0; c < 3; ++c) {
      const int mean = (four[0][c] + four[1][c] + four[2][c] + four[3][c] + 2) >> 2;
      planes[c][i] = static_cast<float>(mean) / divisor;
    }
  }
}

}  // namespace portable

const PixelKernels& portable_kernels() {
  static constexpr PixelKernels kKernels{"portable",
                                         portable::scale_row,
                                         portable::blend_rows,
                                         portable::halve_rows,
                                         portable::planar_floats,
                                         portable::widen_chroma,
                                         portable::mix_colours,
                                         portable::mix_and_halve};
  return kKernels;
}

std::vector<const PixelKernels*> usable_kernels() {
  std::vector<const PixelKernels*> usable{&portable_kernels()};
  for (const PixelKernels* wider : {neon_kernels(), avx2_kernels(), avx512_kernels()}) {
    if (wider != nullptr) usable.push_back(wider);
  }
  return usable;
}

const PixelKernels& best_kernels() {
  static const PixelKernels& best = *usable_kernels().back();
  return best;
}

}  // namespace andon::vision
