// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_table.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace andon::vision {
namespace {

#define ANDON_AVX2 __attribute__((target("avx2")))

// A shuffle looks up 16 entries, and gives 0 where the index's highest bit is set. So the table is
// kept as its first 16 entries and, of each further 16, how they differ from those before: an index
// from which 16 k was taken reaches the entries up to its own, and their exclusive or is the entry
// sought. With each half of the table apart no index reaches beyond 127.
struct Halves {
  __m256i low[8];
  __m256i high[8];
};

ANDON_AVX2 inline Halves differences_of(const ByteTable& table) {
  Halves halves;
  __m256i before[2]{_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::size_t i = 0; i < 8; ++i) {
    const auto entries = [&](std::size_t first) ANDON_AVX2 {
      return _mm256_broadcastsi128_si256(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data() + first)));
    };
    const __m256i low = entries(16 * i);
    const __m256i high = entries(128 + 16 * i);
    halves.low[i] = _mm256_xor_si256(low, before[0]);
    halves.high[i] = _mm256_xor_si256(high, before[1]);
    before[0] = low;
    before[1] = high;
  }
  return halves;
}

ANDON_AVX2 inline __m256i look_up(const Halves& halves, __m256i places) {
  const __m256i sixteen = _mm256_set1_epi8(16);
  __m256i low_place = places;
  __m256i high_place = _mm256_xor_si256(places, _mm256_set1_epi8(-128));
  __m256i low = _mm256_shuffle_epi8(halves.low[0], low_place);
  __m256i high = _mm256_shuffle_epi8(halves.high[0], high_place);
  for (int i = 1; i < 8; ++i) {
    low_place = _mm256_sub_epi8(low_place, sixteen);
    high_place = _mm256_sub_epi8(high_place, sixteen);
    low = _mm256_xor_si256(low, _mm256_shuffle_epi8(halves.low[i], low_place));
    high = _mm256_xor_si256(high, _mm256_shuffle_epi8(halves.high[i], high_place));
  }
  return _mm256_blendv_epi8(low, high, places);
}

ANDON_AVX2 void look_up(const ByteTable& table, const std::uint8_t* from, std::uint8_t* to,
                        const ByteRows& rows) {
  const Halves halves = differences_of(table);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    std::size_t i = 0;
    for (; i + 32 <= rows.bytes; i += 32) {
      const __m256i places = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), look_up(halves, places));
    }
    for (; i + 16 <= rows.bytes; i += 16) {
      const __m128i places = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm256_castsi256_si128(look_up(halves, _mm256_castsi128_si256(places))));
    }
    for (; i < rows.bytes; ++i) to[i] = table[from[i]];
    from += rows.from_stride;
    to += rows.to_stride;
  }
}

#undef ANDON_AVX2
}  // namespace

const ByteTableKernel* avx2_byte_table() {
  static constexpr ByteTableKernel kKernel{"AVX2", look_up};
  return __builtin_cpu_supports("avx2") != 0 ? &kKernel : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const ByteTableKernel* avx2_byte_table() {
  return nullptr;
}
}  // namespace andon::vision

#endif
