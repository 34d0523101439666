// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_table.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

namespace andon::vision {
namespace {

#define ANDON_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi")))

// Two permutations of 128 entries each; the highest bit of the index says which one counts.
ANDON_AVX512 void look_up(const ByteTable& table, const std::uint8_t* from, std::uint8_t* to,
                          const ByteRows& rows) {
  const __m512i first = _mm512_loadu_si512(table.data());
  const __m512i second = _mm512_loadu_si512(table.data() + 64);
  const __m512i third = _mm512_loadu_si512(table.data() + 128);
  const __m512i fourth = _mm512_loadu_si512(table.data() + 192);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t i = 0; i < rows.bytes; i += 64) {
      const std::size_t count = std::min<std::size_t>(64, rows.bytes - i);
      const __mmask64 used = ~__mmask64{0} >> (64 - count);
      const __m512i places = _mm512_maskz_loadu_epi8(used, from + i);
      const __m512i low = _mm512_permutex2var_epi8(first, places, second);
      const __m512i high = _mm512_permutex2var_epi8(third, places, fourth);
      const __mmask64 is_high = _mm512_movepi8_mask(places);
      _mm512_mask_storeu_epi8(to + i, used, _mm512_mask_blend_epi8(is_high, low, high));
    }
    from += rows.from_stride;
    to += rows.to_stride;
  }
}

#undef ANDON_AVX512
}  // namespace

const ByteTableKernel* avx512_byte_table() {
  static constexpr ByteTableKernel kKernel{"AVX-512", look_up};
  const bool has_all = __builtin_cpu_supports("avx512bw") != 0 &&
                       __builtin_cpu_supports("avx512vl") != 0 &&
                       __builtin_cpu_supports("avx512vbmi") != 0;
  return has_all ? &kKernel : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const ByteTableKernel* avx512_byte_table() {
  return nullptr;
}
}  // namespace andon::vision

#endif
