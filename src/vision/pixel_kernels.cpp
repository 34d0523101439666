// SPDX-License-Identifier: Apache-2.0
#include "vision/pixel_kernels.hpp"

#include "vision/pixel_kernels_portable.hpp"

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

}  // namespace portable

const PixelKernels& portable_kernels() {
  static constexpr PixelKernels kKernels{"portable", portable::scale_row, portable::blend_rows,
                                         portable::halve_rows, portable::planar_floats};
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
