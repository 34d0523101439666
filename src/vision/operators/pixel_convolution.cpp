// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/pixel_convolution.hpp"

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

constexpr std::size_t kOutputs = PackedPixelConvolution::kOutputs;

void run(const PackedPixelConvolution& packed, const std::uint8_t* from, std::size_t pixels,
         float* to, std::size_t first, std::size_t last) {
  for (std::size_t output = 0; output < packed.outputs; ++output) {
    const float* weights =
        packed.weights.data() + output / kOutputs * packed.channels * kOutputs + output % kOutputs;
    for (std::size_t pixel = first; pixel < last; ++pixel) {
      const std::uint8_t* values = from + pixel * packed.channels;
      float sum = 0;
      for (std::size_t channel = 0; channel < packed.channels; ++channel) {
        const float value = static_cast<float>(values[channel] - packed.zero) * packed.scale;
        sum += value * weights[channel * kOutputs];
      }
      to[output * pixels + pixel] = sum + packed.bias[output];
    }
  }
}

}  // namespace

PackedPixelConvolution pack(const PixelConvolution& it) {
  std::size_t count = 0;
  if (it.channels == 0 || it.outputs == 0 ||
      __builtin_mul_overflow(it.channels, it.outputs, &count) || it.weights.size() != count ||
      (!it.bias.empty() && it.bias.size() != it.outputs)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "a convolution's weights and bias do not go together");
  }
  PackedPixelConvolution packed{it.channels, it.outputs, {}, {}, it.scale, it.zero};
  const std::size_t eights = (it.outputs + kOutputs - 1) / kOutputs;
  packed.weights.assign(eights * it.channels * kOutputs, 0);
  packed.bias.assign(eights * kOutputs, 0);
  std::ranges::copy(it.bias, packed.bias.begin());
  for (std::size_t output = 0; output < it.outputs; ++output) {
    float* weights = packed.weights.data() + output / kOutputs * it.channels * kOutputs;
    for (std::size_t channel = 0; channel < it.channels; ++channel) {
      weights[channel * kOutputs + output % kOutputs] = it.weights[output * it.channels + channel];
    }
  }
  return packed;
}

const PixelConvolutionKernel& portable_pixel_convolution() {
  static constexpr PixelConvolutionKernel kKernel{"portable", run};
  return kKernel;
}

const PixelConvolutionKernel& best_pixel_convolution() {
  const PixelConvolutionKernel* wider = avx512_pixel_convolution();
  return wider == nullptr ? portable_pixel_convolution() : *wider;
}

}  // namespace andon::vision
