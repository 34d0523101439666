// SPDX-License-Identifier: Apache-2.0
// Convolutions in eight bits over tensors whose channels come last: bytes times signed bytes,
// summed in 32 bits, brought to the output's step by a factor for each output channel, and looked
// up in a table. Bit for bit what ONNX Runtime's QLinearConv and LutU8 behind it give. In a
// portable form, which tests compare with, and in a wider one (AVX-512 VNNI on x86-64). Immutable
// once made; any thread. Internal to vision/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vision/operators/byte_table.hpp"

namespace andon::vision {

struct ConvolutionShape {
  std::size_t channels = 0;
  std::size_t outputs = 0;
  std::size_t kernel_height = 1;
  std::size_t kernel_width = 1;
  std::size_t stride_down = 1;
  std::size_t stride_across = 1;
  std::size_t pad_top = 0;
  std::size_t pad_left = 0;
  std::size_t pad_bottom = 0;
  std::size_t pad_right = 0;
};

// What the inner loops read. Output channels lie in blocks of kBlock, four values of a row of the
// kernel after another: [block][kernel row][quad of the row][kBlock][4], with zeros at the ends.
struct PackedConvolution {
  static constexpr std::size_t kBlock = 16;

  ConvolutionShape shape;
  std::size_t blocks = 0;
  std::size_t quads = 0;  // of a row of the kernel: width times channels, in fours
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias;  // less what the input's zero point adds
  std::vector<float> factors;
  int zero = 0;  // of the output
};

// Lines of the input, with their padding, and the lines of the output that they give.
struct ConvolutionLines {
  const std::uint8_t* from = nullptr;
  std::size_t from_stride = 0;  // bytes a line
  std::uint8_t* to = nullptr;
  std::size_t lines = 0;    // of the output
  std::size_t columns = 0;  // of the output
};

struct ConvolutionKernel {
  std::string_view name;
  void (*run)(const PackedConvolution&, const ConvolutionLines&);
};

[[nodiscard]] const ConvolutionKernel& portable_convolution();
// Null where this processor has no kernel that is worth more than ONNX Runtime's own.
[[nodiscard]] const ConvolutionKernel* fast_convolution();
[[nodiscard]] const ConvolutionKernel* avx512_convolution();

class ByteConvolution {
 public:
  struct Description {
    ConvolutionShape shape;
    std::span<const std::int8_t> weights;  // [outputs][channels][kernel height][kernel width]
    std::span<const std::int32_t> bias;    // of each output, or none
    std::span<const float> factors;        // of each output
    std::uint8_t input_zero = 0;
    std::uint8_t output_zero = 0;
    std::optional<ByteTable> table;
  };
  // Throws invalid_argument where the parts do not fit together.
  ByteConvolution(const Description& description, const ConvolutionKernel& kernel);

  struct Side {
    std::size_t height = 0;
    std::size_t width = 0;
  };
  // Nothing where the kernel is larger than the input with its padding.
  [[nodiscard]] std::optional<Side> output_of(Side input) const;
  // How many lines of the output are done at a time, so that what they need stays in the cache and
  // several threads have something to do.
  [[nodiscard]] std::size_t lines_at_a_time(Side input) const;
  // Lines from `first` up to `last` of the output of one picture.
  void run(const std::uint8_t* from, Side input, std::uint8_t* to, std::size_t first,
           std::size_t last) const;

  [[nodiscard]] const ConvolutionShape& shape() const { return packed_.shape; }

 private:
  void pad(const std::uint8_t* from, Side input, std::size_t first_line, std::size_t lines,
           std::uint8_t* to) const;

  PackedConvolution packed_;
  const ConvolutionKernel& kernel_;
  std::uint8_t input_zero_;
  std::optional<ByteTable> table_;
  bool is_pointwise_;  // each pixel by itself: neither padding nor strides
};

}  // namespace andon::vision
