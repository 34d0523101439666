// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/pixel_kernels_portable.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace andon::vision {
namespace avx2 {

#define ANDON_AVX2 __attribute__((target("avx2,fma")))

// RGBRGB.. as bytes -> R0 R1 G0 G1 B0 B1 0 0 as 16-bit words, times the weights, summed in pairs.
ANDON_AVX2 inline __m128i weigh_pixel(const std::uint8_t* row, const ResizeTap& tap) {
  const __m128i pair_up = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  std::int32_t weights = 0;
  std::memcpy(&weights, &tap.first_weight, sizeof weights);
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + tap.first));
  const __m128i words = _mm_shuffle_epi8(bytes, pair_up);
  return _mm_srli_epi32(_mm_madd_epi16(words, _mm_set1_epi32(weights)), 4);
}

ANDON_AVX2 void scale_row(const std::uint8_t* row, std::size_t row_bytes,
                          std::span<const ResizeTap> taps, std::int16_t* out) {
  static_assert(offsetof(ResizeTap, second_weight) ==
                offsetof(ResizeTap, first_weight) + sizeof(std::int16_t));
  const __m128i drop_fourth = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1);
  std::size_t i = 0;
  // Each pixel is read as 8 bytes: stop before they would leave the row.
  for (; i + 2 <= taps.size() && static_cast<std::size_t>(taps[i + 1].first) + 8 <= row_bytes;
       i += 2) {
    const __m128i two = _mm_packs_epi32(weigh_pixel(row, taps[i]), weigh_pixel(row, taps[i + 1]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i), _mm_shuffle_epi8(two, drop_fourth));
  }
  portable::scale_row(row, row_bytes, taps.subspan(i), out + 3 * i);
}

ANDON_AVX2 void blend_rows(const std::int16_t* upper, std::int16_t upper_weight,
                           const std::int16_t* lower, std::int16_t lower_weight, std::size_t count,
                           std::uint8_t* out) {
  const __m256i upper_weights = _mm256_set1_epi16(upper_weight);
  const __m256i lower_weights = _mm256_set1_epi16(lower_weight);
  const __m256i rounding = _mm256_set1_epi16(2);
  const auto blend = [&](std::size_t at) ANDON_AVX2 {
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(upper + at));
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lower + at));
    const __m256i sum = _mm256_add_epi16(_mm256_mulhi_epi16(high, upper_weights),
                                         _mm256_mulhi_epi16(low, lower_weights));
    return _mm256_srai_epi16(_mm256_add_epi16(sum, rounding), 2);
  };
  std::size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i packed = _mm256_packus_epi16(blend(i), blend(i + 16));
    constexpr int kLanesInOrder = 0b11'01'10'00;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                        _mm256_permute4x64_epi64(packed, kLanesInOrder));
  }
  portable::blend_rows(upper + i, upper_weight, lower + i, lower_weight, count - i, out + i);
}

// For each channel and each 16 of 48 bytes: which of them are of that channel, in order.
struct ChannelPlaces {
  alignas(16) std::int8_t places[3][3][16];
};
constexpr ChannelPlaces make_channel_places() {
  ChannelPlaces result{};
  for (int channel = 0; channel < 3; ++channel) {
    for (int part = 0; part < 3; ++part) {
      for (int i = 0; i < 16; ++i) {
        const int at = 3 * i + channel - 16 * part;
        result.places[channel][part][i] = static_cast<std::int8_t>(at >= 0 && at < 16 ? at : -1);
      }
    }
  }
  return result;
}
constexpr ChannelPlaces kChannelPlaces = make_channel_places();

ANDON_AVX2 inline __m128i one_channel(__m128i first, __m128i second, __m128i third,
                                      std::size_t channel) {
  const auto& places = kChannelPlaces.places[channel];
  const auto pick = [&](__m128i bytes, std::size_t part) ANDON_AVX2 {
    return _mm_shuffle_epi8(bytes, _mm_load_si128(reinterpret_cast<const __m128i*>(places[part])));
  };
  return _mm_or_si128(_mm_or_si128(pick(first, 0), pick(second, 1)), pick(third, 2));
}

ANDON_AVX2 inline void store_floats(__m128i bytes, __m256 divisor, float* out) {
  const __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  const __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
  _mm256_storeu_ps(out, _mm256_div_ps(low, divisor));
  _mm256_storeu_ps(out + 8, _mm256_div_ps(high, divisor));
}

ANDON_AVX2 void planar_floats(const std::uint8_t* rgb, std::size_t pixels, float divisor,
                              const std::array<float*, 3>& planes) {
  const __m256 divisors = _mm256_set1_ps(divisor);
  std::size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    const auto* bytes = reinterpret_cast<const __m128i*>(rgb + 3 * i);
    const __m128i first = _mm_loadu_si128(bytes);
    const __m128i second = _mm_loadu_si128(bytes + 1);
    const __m128i third = _mm_loadu_si128(bytes + 2);
    for (std::size_t c = 0; c < 3; ++c) {
      store_floats(one_channel(first, second, third, c), divisors, planes[c] + i);
    }
  }
  portable::planar_floats(rgb + 3 * i, pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

// 12 bytes, two pairs of pixels, in each half.
ANDON_AVX2 inline __m256i load_pairs(const std::uint8_t* row) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 12));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

ANDON_AVX2 void halve_rows(const std::uint8_t* upper, const std::uint8_t* lower, std::size_t pixels,
                           std::uint8_t* out) {
  // R0 R1 G0 G1 B0 B1 of both pairs, to be summed by a product with ones.
  const __m256i pair_up = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1));
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i two = _mm256_set1_epi16(2);
  std::size_t i = 0;
  // The last pixels are left over: 28 bytes are read for 24, 14 written for 12.
  for (; i + 6 <= pixels; i += 4) {
    const __m256i a = _mm256_shuffle_epi8(load_pairs(upper + 6 * i), pair_up);
    const __m256i b = _mm256_shuffle_epi8(load_pairs(lower + 6 * i), pair_up);
    const __m256i sum =
        _mm256_add_epi16(_mm256_maddubs_epi16(a, ones), _mm256_maddubs_epi16(b, ones));
    const __m256i mean = _mm256_srli_epi16(_mm256_add_epi16(sum, two), 2);
    const __m256i bytes = _mm256_packus_epi16(mean, mean);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 3 * i), _mm256_castsi256_si128(bytes));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 3 * i + 6),
                     _mm256_extracti128_si256(bytes, 1));
  }
  portable::halve_rows(upper + 6 * i, lower + 6 * i, pixels - i, out + 3 * i);
}

// 16 bytes as words.
ANDON_AVX2 inline __m256i load_words(const std::uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

ANDON_AVX2 inline __m256i load_bytes(const std::uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

// 3 row + near of 32 bytes: words 0-7 and 16-23 in `low`, the others in `high`.
struct Weighed {
  __m256i low;
  __m256i high;
};
ANDON_AVX2 inline void weigh(const std::uint8_t* near, const std::uint8_t* row, Weighed& weighed) {
  const __m256i weights = _mm256_set1_epi16(0x0103);
  const __m256i rows = load_bytes(row);
  const __m256i nears = load_bytes(near);
  weighed.low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(rows, nears), weights);
  weighed.high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(rows, nears), weights);
}

// Words that hold the left byte and, above it, the right one.
ANDON_AVX2 inline __m256i widen(__m256i before, __m256i value, __m256i after, __m256i even,
                                __m256i odd) {
  const __m256i most = _mm256_add_epi16(value, _mm256_add_epi16(value, value));
  const __m256i left = _mm256_add_epi16(_mm256_add_epi16(most, before), even);
  const __m256i right = _mm256_add_epi16(_mm256_add_epi16(most, after), odd);
  const __m256i upper_bytes = _mm256_set1_epi16(static_cast<std::int16_t>(0xFF00));
  return _mm256_or_si256(_mm256_srli_epi16(left, 4),
                         _mm256_and_si256(_mm256_slli_epi16(right, 4), upper_bytes));
}

ANDON_AVX2 void widen_chroma(const std::uint8_t* near, const std::uint8_t* row, std::size_t count,
                             ChromaRounding rounding, std::uint8_t* out) {
  constexpr std::size_t kStep = 32;
  if (count < kStep + 2) {
    portable::widen_chroma(near, row, count, rounding, out);
    return;
  }
  const __m256i even = _mm256_set1_epi16(rounding.even);
  const __m256i odd = _mm256_set1_epi16(rounding.odd);
  // All but the first and the last, which lack a neighbour; the last step overlaps the one before.
  const std::size_t last = count - 1 - kStep;
  for (std::size_t i = 1;; i = std::min(i + kStep, last)) {
    Weighed before;
    Weighed value;
    Weighed after;
    weigh(near + i - 1, row + i - 1, before);
    weigh(near + i, row + i, value);
    weigh(near + i + 1, row + i + 1, after);
    const __m256i low = widen(before.low, value.low, after.low, even, odd);
    const __m256i high = widen(before.high, value.high, after.high, even, odd);
    auto* to = reinterpret_cast<__m256i*>(out + 2 * i);
    constexpr int kFirstHalves = 0x20;
    constexpr int kSecondHalves = 0x31;
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(low, high, kFirstHalves));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(low, high, kSecondHalves));
    if (i == last) break;
  }
  portable::widen_ends(near, row, count, rounding, out);
}

struct Mixed {
  __m256i red;
  __m256i green;
  __m256i blue;
};

// 16 pixels, as words that may lie beyond a byte. The chroma is taken twice and the factors half,
// so that they fit into words.
ANDON_AVX2 inline void mix(const YcbcrRow& row, std::size_t i, Mixed& mixed) {
  // (factor * x + 32768) >> 16 comes out the same for all 256 values of x (a test tries them).
  const __m256i red_of_red = _mm256_set1_epi16(22'970);    // 91881 / 4
  const __m256i blue_of_blue = _mm256_set1_epi16(29'033);  // 116130 / 4
  constexpr int kGreenOfBlue = -22'554 / 2;
  constexpr int kGreenOfRed = -46'802 / 2;
  const __m256i greens = _mm256_set1_epi32(
      static_cast<int>(static_cast<unsigned>(kGreenOfRed) << 16U) | (kGreenOfBlue & 0xFFFF));
  const __m256i half = _mm256_set1_epi32(32'768);
  const __m256i middle = _mm256_set1_epi16(2 * 128);
  const __m256i luma = load_words(row.luma + i);
  const __m256i blue = _mm256_sub_epi16(_mm256_slli_epi16(load_words(row.blue + i), 1), middle);
  const __m256i red = _mm256_sub_epi16(_mm256_slli_epi16(load_words(row.red + i), 1), middle);
  const __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(blue, red), greens);
  const __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(blue, red), greens);
  const __m256i green = _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(low, half), 16),
                                           _mm256_srai_epi32(_mm256_add_epi32(high, half), 16));
  mixed.red = _mm256_add_epi16(luma, _mm256_mulhrs_epi16(red, red_of_red));
  mixed.green = _mm256_add_epi16(luma, green);
  mixed.blue = _mm256_add_epi16(luma, _mm256_mulhrs_epi16(blue, blue_of_blue));
}

// For each 16 of 48 bytes and each channel: which of the channel's 16 bytes goes where.
struct PixelPlaces {
  alignas(16) std::int8_t places[3][3][16];
};
constexpr PixelPlaces make_pixel_places() {
  PixelPlaces result{};
  for (int part = 0; part < 3; ++part) {
    for (int channel = 0; channel < 3; ++channel) {
      for (int i = 0; i < 16; ++i) {
        const int at = 16 * part + i;
        result.places[part][channel][i] = static_cast<std::int8_t>(at % 3 == channel ? at / 3 : -1);
      }
    }
  }
  return result;
}
constexpr PixelPlaces kPixelPlaces = make_pixel_places();

// 16 words, each cut to a byte.
ANDON_AVX2 inline __m128i to_bytes(__m256i words) {
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

ANDON_AVX2 void mix_colours(const YcbcrRow& row, std::size_t pixels, std::uint8_t* rgb) {
  std::size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    Mixed mixed;
    mix(row, i, mixed);
    const __m128i channels[3]{to_bytes(mixed.red), to_bytes(mixed.green), to_bytes(mixed.blue)};
    for (std::size_t part = 0; part < 3; ++part) {
      const auto place = [&](std::size_t channel) ANDON_AVX2 {
        const auto* places = reinterpret_cast<const __m128i*>(kPixelPlaces.places[part][channel]);
        return _mm_shuffle_epi8(channels[channel], _mm_load_si128(places));
      };
      _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb + 3 * i + 16 * part),
                       _mm_or_si128(_mm_or_si128(place(0), place(1)), place(2)));
    }
  }
  portable::mix_colours(beyond(row, i), pixels - i, rgb + 3 * i);
}

// The sums of pairs of 32 pixels: words in the order 0-3, 8-11, 4-7, 12-15.
ANDON_AVX2 inline __m256i sum_pairs(__m256i first, __m256i second) {
  return _mm256_maddubs_epi16(_mm256_packus_epi16(first, second), _mm256_set1_epi8(1));
}

// x / divisor, correctly rounded: the product with the reciprocal, and the remainder that it
// leaves (exact by FMA) added in.
ANDON_AVX2 inline __m256 divide(__m256 x, __m256 divisor, __m256 reciprocal) {
  const __m256 quotient = _mm256_mul_ps(x, reciprocal);
  return _mm256_fmadd_ps(_mm256_fnmadd_ps(quotient, divisor, x), reciprocal, quotient);
}

ANDON_AVX2 void mix_and_halve(const YcbcrRow& upper, const YcbcrRow& lower, std::size_t pixels,
                              float divisor, const std::array<float*, 3>& planes) {
  const __m256 divisors = _mm256_set1_ps(divisor);
  const __m256 reciprocals = _mm256_set1_ps(1 / divisor);
  const __m256i two = _mm256_set1_epi16(2);
  std::size_t i = 0;
  for (; i + 16 <= pixels; i += 16) {
    Mixed upper_left;
    Mixed upper_right;
    Mixed lower_left;
    Mixed lower_right;
    mix(upper, 2 * i, upper_left);
    mix(upper, 2 * i + 16, upper_right);
    mix(lower, 2 * i, lower_left);
    mix(lower, 2 * i + 16, lower_right);
    const auto store = [&](__m256i upper_sums, __m256i lower_sums, float* out) ANDON_AVX2 {
      const __m256i mean =
          _mm256_srli_epi16(_mm256_add_epi16(_mm256_add_epi16(upper_sums, lower_sums), two), 2);
      constexpr int kInOrder = 0b11'01'10'00;
      const __m256i words = _mm256_permute4x64_epi64(mean, kInOrder);
      const __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(words)));
      const __m256 high =
          _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(words, 1)));
      _mm256_storeu_ps(out, divide(low, divisors, reciprocals));
      _mm256_storeu_ps(out + 8, divide(high, divisors, reciprocals));
    };
    store(sum_pairs(upper_left.red, upper_right.red), sum_pairs(lower_left.red, lower_right.red),
          planes[0] + i);
    store(sum_pairs(upper_left.green, upper_right.green),
          sum_pairs(lower_left.green, lower_right.green), planes[1] + i);
    store(sum_pairs(upper_left.blue, upper_right.blue),
          sum_pairs(lower_left.blue, lower_right.blue), planes[2] + i);
  }
  portable::mix_and_halve(beyond(upper, 2 * i), beyond(lower, 2 * i), pixels - i, divisor,
                          {planes[0] + i, planes[1] + i, planes[2] + i});
}

#undef ANDON_AVX2
}  // namespace avx2

const PixelKernels* avx2_kernels() {
  static constexpr PixelKernels kKernels{"AVX2",
                                         avx2::scale_row,
                                         avx2::blend_rows,
                                         avx2::halve_rows,
                                         avx2::planar_floats,
                                         avx2::widen_chroma,
                                         avx2::mix_colours,
                                         avx2::mix_and_halve};
  const bool has_all = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return has_all ? &kKernels : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const PixelKernels* avx2_kernels() {
  return nullptr;
}
}  // namespace andon::vision

#endif
