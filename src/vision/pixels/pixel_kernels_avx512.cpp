// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/pixel_kernels_portable.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace andon::vision {
namespace avx512 {

#define ANDON_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi")))

ANDON_AVX512 void blend_rows(const std::int16_t* upper, std::int16_t upper_weight,
                             const std::int16_t* lower, std::int16_t lower_weight,
                             std::size_t count, std::uint8_t* out) {
  const __m512i upper_weights = _mm512_set1_epi16(upper_weight);
  const __m512i lower_weights = _mm512_set1_epi16(lower_weight);
  const __m512i rounding = _mm512_set1_epi16(2);
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512i high = _mm512_loadu_si512(upper + i);
    const __m512i low = _mm512_loadu_si512(lower + i);
    const __m512i sum = _mm512_add_epi16(_mm512_mulhi_epi16(high, upper_weights),
                                         _mm512_mulhi_epi16(low, lower_weights));
    const __m512i value = _mm512_srai_epi16(_mm512_add_epi16(sum, rounding), 2);
    // Values are 0 to 255: no saturation is needed.
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm512_cvtepi16_epi8(value));
  }
  portable::blend_rows(upper + i, upper_weight, lower + i, lower_weight, count - i, out + i);
}

// For each plane: where its 16 bytes are among 48.
struct PlanePlaces {
  alignas(64) std::int8_t places[3][64];
};
constexpr PlanePlaces make_plane_places() {
  PlanePlaces result{};
  for (int plane = 0; plane < 3; ++plane) {
    for (int i = 0; i < 16; ++i) {
      result.places[plane][i] = static_cast<std::int8_t>(3 * i + plane);
    }
  }
  return result;
}
constexpr PlanePlaces kPlanePlaces = make_plane_places();

// x / divisor, correctly rounded, without a division: the product with the reciprocal, and the
// remainder that it leaves (exact by FMA) added in.
ANDON_AVX512 inline __m512 divide(__m512 x, __m512 divisor, __m512 reciprocal) {
  const __m512 quotient = _mm512_mul_ps(x, reciprocal);
  const __m512 remainder = _mm512_fnmadd_ps(quotient, divisor, x);
  return _mm512_fmadd_ps(remainder, reciprocal, quotient);
}

ANDON_AVX512 void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                                const std::array<float*, 3>& planes) {
  const __m512 divisors = _mm512_set1_ps(divisor);
  const __m512 reciprocals = _mm512_set1_ps(1 / divisor);
  constexpr __mmask64 kBytes48 = 0xFFFF'FFFF'FFFF;
  std::size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const __m512i bytes = _mm512_maskz_loadu_epi8(kBytes48, rgb + 3 * i);
    for (std::size_t c = 0; c < 3; ++c) {
      const __m512i places = _mm512_load_si512(kPlanePlaces.places[c]);
      const __m128i plane = _mm512_castsi512_si128(_mm512_permutexvar_epi8(places, bytes));
      const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(plane));
      _mm512_storeu_ps(planes[c] + i, divide(values, divisors, reciprocals));
    }
  }
  portable::planar_floats(rgb + 3 * i, pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

#undef ANDON_AVX512
}  // namespace avx512

const PixelKernels* avx512_kernels() {
  const PixelKernels* narrower = avx2_kernels();
  if (narrower == nullptr || __builtin_cpu_supports("avx512bw") == 0 ||
      __builtin_cpu_supports("avx512vl") == 0 || __builtin_cpu_supports("avx512vbmi") == 0) {
    return nullptr;
  }
  // A gather of single pixels gains nothing from more width.
  static const PixelKernels kernels{"AVX-512",
                                    narrower->scale_row,
                                    avx512::blend_rows,
                                    narrower->halve_rows,
                                    avx512::planar_floats,
                                    narrower->widen_chroma,
                                    narrower->mix_colours,
                                    narrower->mix_and_halve};
  return &kernels;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const PixelKernels* avx512_kernels() {
  return nullptr;
}
}  // namespace andon::vision

#endif
