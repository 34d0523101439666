// SPDX-License-Identifier: Apache-2.0
#include "vision/pixel_kernels_portable.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

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

void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                   const std::array<float*, 3>& planes) {
  const float32x4_t divisors = vdupq_n_f32(divisor);
  std::size_t i = 0;
  for (; i + 8 <= pixels; i += 8) {
    const uint8x8x3_t channels = vld3_u8(rgb + 3 * i);
    for (std::size_t c = 0; c < 3; ++c) {
      const uint16x8_t words = vmovl_u8(channels.val[c]);
      const float32x4_t low = vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
      const float32x4_t high = vcvtq_f32_u32(vmovl_u16(vget_high_u16(words)));
      vst1q_f32(planes[c] + i, vdivq_f32(low, divisors));
      vst1q_f32(planes[c] + i + 4, vdivq_f32(high, divisors));
    }
  }
  portable::planar_floats(rgb + 3 * i, pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

}  // namespace neon

const PixelKernels* neon_kernels() {
  // Every 64-bit ARM has NEON. The compiler does the other two loops well.
  static constexpr PixelKernels kKernels{"NEON", portable::scale_row, neon::blend_rows,
                                         portable::halve_rows, neon::planar_floats};
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
