// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/pixel_kernels_portable.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>

namespace andon::vision {
namespace neon {

// (value * weight) >> 16 of each word.
inline int16x8_t weighed(int16x8_t values, std::int16_t weight) {
  const int32x4_t low = vmull_n_s16(vget_low_s16(values), weight);
  const int32x4_t high = vmull_n_s16(vget_high_s16(values), weight);
  return vcombine_s16(vshrn_n_s32(low, 16), vshrn_n_s32(high, 16));
}

void blend_rows(const std::int16_t* upper, std::int16_t upper_weight, const std::int16_t* lower,
                std::int16_t lower_weight, std::size_t count, std::uint8_t* out) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const int16x8_t sum = vaddq_s16(weighed(vld1q_s16(upper + i), upper_weight),
                                    weighed(vld1q_s16(lower + i), lower_weight));
    vst1_u8(out + i, vqmovun_s16(vshrq_n_s16(vaddq_s16(sum, vdupq_n_s16(2)), 2)));
  }
  portable::blend_rows(upper + i, upper_weight, lower + i, lower_weight, count - i, out + i);
}

inline void store_floats(uint16x8_t words, float32x4_t divisor, float* out) {
  vst1q_f32(out, vdivq_f32(vcvtq_f32_u32(vmovl_u16(vget_low_u16(words))), divisor));
  vst1q_f32(out + 4, vdivq_f32(vcvtq_f32_u32(vmovl_u16(vget_high_u16(words))), divisor));
}

void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes) {
  const float32x4_t divisors = vdupq_n_f32(divisor);
  std::size_t i = 0;
  for (; i + 8 <= pixels; i += 8) {
    const uint8x8x3_t channels = vld3_u8(rgb + 3 * i);
    for (std::size_t c = 0; c < 3; ++c) {
      store_floats(vmovl_u8(channels.val[c]), divisors, planes[c] + i);
    }
  }
  portable::planar_floats(rgb + 3 * i, pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

void widen_chroma(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                  ChromaRounding rounding, std::uint8_t* out) {
  constexpr std::size_t kStep = 8;
  if (count < kStep + 2) {
    portable::widen_chroma(near, row, count, rounding, out);
    return;
  }
  const uint16x8_t even = vdupq_n_u16(static_cast<std::uint16_t>(rounding.even));
  const uint16x8_t odd = vdupq_n_u16(static_cast<std::uint16_t>(rounding.odd));
  const auto value = [&](std::size_t i) {
    return vmlal_u8(vmovl_u8(vld1_u8(near + i)), vld1_u8(row + i), vdup_n_u8(3));
  };
  // All but the first and the last, which lack a neighbour; the last step overlaps the one before.
  const std::size_t last = count - 1 - kStep;
  for (std::size_t i = 1;; i = std::min(i + kStep, last)) {
    const uint16x8_t most = vmulq_n_u16(value(i), 3);
    const uint16x8_t left = vaddq_u16(vaddq_u16(most, value(i - 1)), even);
    const uint16x8_t right = vaddq_u16(vaddq_u16(most, value(i + 1)), odd);
    vst2_u8(out + 2 * i, {{vshrn_n_u16(left, 4), vshrn_n_u16(right, 4)}});
    if (i == last) break;
  }
  portable::widen_ends(near, row, count, rounding, out);
}

// 8 pixels. The chroma is taken twice and the factors half, so that they fit into words.
inline uint8x8x3_t mix(const YcbcrRow& row, std::size_t i) {
  // (factor * x + 32768) >> 16 comes out the same for all 256 values of x (a test tries them).
  constexpr std::int16_t kRedOfRed = 22'970;    // 91881 / 4
  constexpr std::int16_t kBlueOfBlue = 29'033;  // 116130 / 4
  constexpr std::int16_t kGreenOfBlue = -22'554 / 2;
  constexpr std::int16_t kGreenOfRed = -46'802 / 2;
  const auto twice = [](const std::uint8_t* bytes) {
    const uint16x8_t value = vsubl_u8(vld1_u8(bytes), vdup_n_u8(128));
    return vshlq_n_s16(vreinterpretq_s16_u16(value), 1);
  };
  const int16x8_t luma = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(row.luma + i)));
  const int16x8_t blue = twice(row.blue + i);
  const int16x8_t red = twice(row.red + i);
  const auto green = [](int16x4_t blues, int16x4_t reds) {
    return vrshrn_n_s32(vmlal_n_s16(vmull_n_s16(blues, kGreenOfBlue), reds, kGreenOfRed), 16);
  };
  const int16x8_t greens = vcombine_s16(green(vget_low_s16(blue), vget_low_s16(red)),
                                        green(vget_high_s16(blue), vget_high_s16(red)));
  return {{vqmovun_s16(vaddq_s16(luma, vqrdmulhq_n_s16(red, kRedOfRed))),
           vqmovun_s16(vaddq_s16(luma, greens)),
           vqmovun_s16(vaddq_s16(luma, vqrdmulhq_n_s16(blue, kBlueOfBlue)))}};
}

void mix_colours(const YcbcrRow& row, std::size_t pixels, std::uint8_t* rgb) {
  std::size_t i = 0;
  for (; i + 8 <= pixels; i += 8) vst3_u8(rgb + 3 * i, mix(row, i));
  portable::mix_colours(beyond(row, i), pixels - i, rgb + 3 * i);
}

void mix_and_halve(const YcbcrRow& upper, const YcbcrRow& lower, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes) {
  const float32x4_t divisors = vdupq_n_f32(divisor);
  std::size_t i = 0;
  for (; i + 8 <= pixels; i += 8) {
    const uint8x8x3_t upper_left = mix(upper, 2 * i);
    const uint8x8x3_t upper_right = mix(upper, 2 * i + 8);
    const uint8x8x3_t lower_left = mix(lower, 2 * i);
    const uint8x8x3_t lower_right = mix(lower, 2 * i + 8);
    for (std::size_t c = 0; c < 3; ++c) {
      const uint16x8_t sum =
          vaddq_u16(vpaddlq_u8(vcombine_u8(upper_left.val[c], upper_right.val[c])),
                    vpaddlq_u8(vcombine_u8(lower_left.val[c], lower_right.val[c])));
      store_floats(vrshrq_n_u16(sum, 2), divisors, planes[c] + i);
    }
  }
  portable::mix_and_halve(beyond(upper, 2 * i), beyond(lower, 2 * i), pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

}  // namespace neon

const PixelKernels* neon_kernels() {
  // Every 64-bit ARM has NEON. The compiler does the other loops well.
  static constexpr PixelKernels kKernels{"NEON",
                                         portable::scale_row,
                                         neon::blend_rows,
                                         portable::halve_rows,
                                         neon::planar_floats,
                                         portable::widen_chroma,
                                         portable::mix_colours,
                                         portable::mix_and_halve};
  return &kKernels;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const PixelKernels* neon_kernels() {
  return nullptr;
}
}  // namespace andon::vision

#endif
