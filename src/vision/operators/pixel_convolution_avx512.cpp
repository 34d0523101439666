// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/pixel_convolution.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

// GCC 12 warns of the undefined vectors in its own header (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace andon::vision {
namespace {

#define ANDON_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

constexpr std::size_t kOutputs = PackedPixelConvolution::kOutputs;
constexpr std::size_t kVectors = 3;
constexpr std::size_t kPixels = 16 * kVectors;

// As many pixels as one pass takes, as floats, a channel after the other.
float* scratch(std::size_t channels) {
  static thread_local std::vector<float> memory;
  if (memory.size() < channels * kPixels) memory.resize(channels * kPixels);
  return memory.data();
}

// Four channels of 16 pixels at a time; `channels` is a multiple of four.
ANDON_AVX512 void read_whole(const PackedPixelConvolution& packed, const std::uint8_t* from,
                             float* values) {
  const auto stride = static_cast<int>(packed.channels);
  const __m512i places =
      _mm512_mullo_epi32(_mm512_set1_epi32(stride),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const __m512i zero = _mm512_set1_epi32(packed.zero);
  const __m512 scale = _mm512_set1_ps(packed.scale);
  const __m512i byte = _mm512_set1_epi32(0xFF);
  for (std::size_t vector = 0; vector < kVectors; ++vector) {
    const std::uint8_t* first = from + 16 * vector * packed.channels;
    for (std::size_t channel = 0; channel < packed.channels; channel += 4) {
      __m512i four = _mm512_i32gather_epi32(places, first + channel, 1);
      for (std::size_t i = 0; i < 4; ++i) {
        const __m512i value = _mm512_sub_epi32(_mm512_and_si512(four, byte), zero);
        _mm512_storeu_ps(values + (channel + i) * kPixels + 16 * vector,
                         _mm512_mul_ps(_mm512_cvtepi32_ps(value), scale));
        four = _mm512_srli_epi32(four, 8);
      }
    }
  }
}

void read_some(const PackedPixelConvolution& packed, const std::uint8_t* from, std::size_t pixels,
               float* values) {
  std::memset(values, 0, packed.channels * kPixels * sizeof(float));
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t channel = 0; channel < packed.channels; ++channel) {
      values[channel * kPixels + pixel] =
          static_cast<float>(from[pixel * packed.channels + channel] - packed.zero) * packed.scale;
    }
  }
}

// Eight outputs of kPixels pixels: 24 sums in registers. Channel after channel and the bias last,
// as ONNX Runtime adds up to 128 channels, so that ties between findings fall alike.
ANDON_AVX512 void add_up(const float* values, std::size_t channels, const float* weights,
                         const float* bias, float* sums) {
  __m512 sum[kOutputs][kVectors];
#pragma GCC unroll 8
  for (std::size_t output = 0; output < kOutputs; ++output) {
#pragma GCC unroll 3
    for (std::size_t i = 0; i < kVectors; ++i) sum[output][i] = _mm512_setzero_ps();
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    __m512 value[kVectors];
#pragma GCC unroll 3
    for (std::size_t i = 0; i < kVectors; ++i) value[i] = _mm512_loadu_ps(values + 16 * i);
#pragma GCC unroll 8
    for (std::size_t output = 0; output < kOutputs; ++output) {
      const __m512 weight = _mm512_set1_ps(weights[output]);
#pragma GCC unroll 3
      for (std::size_t i = 0; i < kVectors; ++i) {
        sum[output][i] = _mm512_fmadd_ps(value[i], weight, sum[output][i]);
      }
    }
    values += kPixels;
    weights += kOutputs;
  }
#pragma GCC unroll 8
  for (std::size_t output = 0; output < kOutputs; ++output) {
    const __m512 last = _mm512_set1_ps(bias[output]);
#pragma GCC unroll 3
    for (std::size_t i = 0; i < kVectors; ++i) {
      _mm512_storeu_ps(sums + output * kPixels + 16 * i, _mm512_add_ps(sum[output][i], last));
    }
  }
}

void run(const PackedPixelConvolution& packed, const std::uint8_t* from, std::size_t pixels,
         float* to, std::size_t first, std::size_t last) {
  float* values = scratch(packed.channels);
  alignas(64) float sums[kOutputs * kPixels];
  for (std::size_t pixel = first; pixel < last; pixel += kPixels) {
    const std::size_t count = std::min(kPixels, last - pixel);
    const std::uint8_t* bytes = from + pixel * packed.channels;
    if (count == kPixels && packed.channels % 4 == 0) {
      read_whole(packed, bytes, values);
    } else {
      read_some(packed, bytes, count, values);
    }
    for (std::size_t output = 0; output < packed.outputs; output += kOutputs) {
      add_up(values, packed.channels, packed.weights.data() + output * packed.channels,
             packed.bias.data() + output, sums);
      for (std::size_t i = 0; i < std::min(kOutputs, packed.outputs - output); ++i) {
        std::memcpy(to + (output + i) * pixels + pixel, sums + i * kPixels, count * sizeof(float));
      }
    }
  }
}

#undef ANDON_AVX512
}  // namespace

const PixelConvolutionKernel* avx512_pixel_convolution() {
  static constexpr PixelConvolutionKernel kKernel{"AVX-512", run};
  const bool has_all =
      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return has_all ? &kKernel : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const PixelConvolutionKernel* avx512_pixel_convolution() {
  return nullptr;
}
}  // namespace andon::vision

#endif
