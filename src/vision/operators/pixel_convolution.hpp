// SPDX-License-Identifier: Apache-2.0
// A convolution over single pixels whose input are bytes of a tensor with its channels last, whose
// weights and sums are floats, and whose output are planes: what a quantised network's last
// convolutions are, which stay in float. One pass in place of a change of layout, one from bytes to
// floats and one of sums. In a portable form and for AVX-512, which add in the same order but for
// the rounding of a fused multiplication. Immutable once made; any thread. Internal to vision/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace andon::vision {

// What the inner loops read: weights as [outputs in eights][channels][8], with zeros at the end.
struct PackedPixelConvolution {
  static constexpr std::size_t kOutputs = 8;

  std::size_t channels = 0;
  std::size_t outputs = 0;
  std::vector<float> weights;
  std::vector<float> bias;
  float scale = 1;  // of the bytes
  int zero = 0;
};

struct PixelConvolutionKernel {
  std::string_view name;
  // Pixels from `first` up to `last` of a picture of `pixels`.
  void (*run)(const PackedPixelConvolution&, const std::uint8_t* from, std::size_t pixels,
              float* to, std::size_t first, std::size_t last);
};

[[nodiscard]] const PixelConvolutionKernel& portable_pixel_convolution();
[[nodiscard]] const PixelConvolutionKernel& best_pixel_convolution();
// Null where the processor lacks it.
[[nodiscard]] const PixelConvolutionKernel* avx512_pixel_convolution();

struct PixelConvolution {
  std::size_t channels = 0;
  std::size_t outputs = 0;
  std::span<const float> weights;  // [outputs][channels]
  std::span<const float> bias;     // of each output, or none
  float scale = 1;
  std::uint8_t zero = 0;
};
// Throws invalid_argument where the parts do not go together.
[[nodiscard]] PackedPixelConvolution pack(const PixelConvolution& convolution);

}  // namespace andon::vision
