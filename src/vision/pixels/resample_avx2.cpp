// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/resample_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

namespace andon::vision {
namespace {

#define ANDON_AVX2 __attribute__((target("avx2")))

// Eight sums to bytes in the low half.
ANDON_AVX2 inline __m128i to_bytes(__m256i sums) {
  const __m256i values = _mm256_srai_epi32(sums, kResampleBits);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  return _mm_packus_epi16(words, words);
}

// Two pixels at a time, each in a half of the register.
ANDON_AVX2 void scale_columns(const std::uint8_t* row, const ResampleTaps& taps,
                              std::uint8_t* out) {
  const __m128i apart = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  // Two pixels are read as eight bytes: none beyond the last one that counts.
  const std::uint8_t* end =
      taps.spans.empty()
          ? row
          : row + std::ptrdiff_t{3} * (taps.spans.back().first + taps.spans.back().count);
  for (const ResampleSpan& span : taps.spans) {
    const std::int32_t* weight = taps.weights.data() + span.weights;
    const std::uint8_t* pixel = row + static_cast<std::size_t>(span.first) * 3;
    __m256i sums = _mm256_setzero_si256();
    int i = 0;
    for (; i + 2 <= span.count && end - pixel >= 8; i += 2, pixel += 6) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(pixel));
      const __m256i values = _mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, apart));
      const __m256i weights =
          _mm256_setr_m128i(_mm_set1_epi32(weight[i]), _mm_set1_epi32(weight[i + 1]));
      sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(values, weights));
    }
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    for (; i < span.count; ++i, pixel += 3) {
      const __m128i values = _mm_setr_epi32(pixel[0], pixel[1], pixel[2], 0);
      sum = _mm_add_epi32(sum, _mm_mullo_epi32(values, _mm_set1_epi32(weight[i])));
    }
    sum = _mm_add_epi32(sum, _mm_set1_epi32(kResampleHalf));
    const __m128i bytes = to_bytes(_mm256_castsi128_si256(sum));
    const auto packed = static_cast<std::uint32_t>(_mm_cvtsi128_si32(bytes));
    *out++ = static_cast<std::uint8_t>(packed);
    *out++ = static_cast<std::uint8_t>(packed >> 8U);
    *out++ = static_cast<std::uint8_t>(packed >> 16U);
  }
}

ANDON_AVX2 void mix_rows(const KeptRows& rows, std::span<std::int32_t> /*sums*/,
                         std::uint8_t* out) {
  std::size_t x = 0;
  for (; x + 8 <= rows.row_bytes; x += 8) {
    __m256i sums = _mm256_set1_epi32(kResampleHalf);
    for (int i = 0; i < rows.count; ++i) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows.row(i) + x));
      sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes),
                                                       _mm256_set1_epi32(rows.weights[i])));
    }
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + x), to_bytes(sums));
  }
  for (; x < rows.row_bytes; ++x) {
    std::int32_t sum = kResampleHalf;
    for (int i = 0; i < rows.count; ++i) sum += rows.weights[i] * rows.row(i)[x];
    out[x] = static_cast<std::uint8_t>(std::clamp(sum >> kResampleBits, 0, 255));
  }
}

}  // namespace

const ResampleKernels* avx2_resampling() {
  static constexpr ResampleKernels kKernels{scale_columns, mix_rows};
  return __builtin_cpu_supports("avx2") != 0 ? &kKernels : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const ResampleKernels* avx2_resampling() {
  return nullptr;
}
}  // namespace andon::vision

#endif
