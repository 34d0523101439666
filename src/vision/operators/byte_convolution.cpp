// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_convolution.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

constexpr std::size_t kBlock = PackedConvolution::kBlock;
constexpr std::size_t kQuad = 4;

std::size_t up_to_whole(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

std::uint8_t to_step(std::int32_t sum, float factor, int zero) {
  const float low = static_cast<float>(-zero);
  const float high = static_cast<float>(255 - zero);
  const float value = std::clamp(static_cast<float>(sum) * factor, low, high);
  return static_cast<std::uint8_t>(std::lrint(value) + zero);
}

void run_portable(const PackedConvolution& packed, const ConvolutionLines& lines) {
  const ConvolutionShape& shape = packed.shape;
  const std::size_t row = shape.kernel_width * shape.channels;
  std::uint8_t* to = lines.to;
  for (std::size_t line = 0; line < lines.lines; ++line) {
    for (std::size_t column = 0; column < lines.columns; ++column) {
      const std::uint8_t* pixel = lines.from + line * shape.stride_down * lines.from_stride +
                                  column * shape.stride_across * shape.channels;
      for (std::size_t output = 0; output < shape.outputs; ++output) {
        auto sum = static_cast<std::uint32_t>(packed.bias[output]);
        const std::int8_t* block = packed.weights.data() + output / kBlock * shape.kernel_height *
                                                               packed.quads * kBlock * kQuad;
        for (std::size_t y = 0; y < shape.kernel_height; ++y) {
          for (std::size_t i = 0; i < row; ++i) {
            const std::int8_t weight =
                block[((y * packed.quads + i / kQuad) * kBlock + output % kBlock) * kQuad +
                      i % kQuad];
            sum += static_cast<std::uint32_t>(weight * pixel[y * lines.from_stride + i]);
          }
        }
        *to++ = to_step(static_cast<std::int32_t>(sum), packed.factors[output], packed.zero);
      }
    }
  }
}

void check(const ByteConvolution::Description& it) {
  const ConvolutionShape& shape = it.shape;
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  const auto refuse = [](const char* what) {
    throw base::Error(base::ErrorCode::invalid_argument, what);
  };
  for (const std::size_t size : {shape.channels, shape.outputs, shape.kernel_height,
                                 shape.kernel_width, shape.stride_down, shape.stride_across}) {
    if (size == 0 || size > kMost) refuse("a convolution has an impossible shape");
  }
  for (const std::size_t pad : {shape.pad_top, shape.pad_bottom}) {
    if (pad >= shape.kernel_height) refuse("a convolution's padding is larger than its kernel");
  }
  for (const std::size_t pad : {shape.pad_left, shape.pad_right}) {
    if (pad >= shape.kernel_width) refuse("a convolution's padding is larger than its kernel");
  }
  std::size_t count = shape.outputs;
  for (const std::size_t size : {shape.channels, shape.kernel_height, shape.kernel_width}) {
    if (__builtin_mul_overflow(count, size, &count)) refuse("a convolution is too large");
  }
  if (it.weights.size() != count || it.factors.size() != shape.outputs ||
      (!it.bias.empty() && it.bias.size() != shape.outputs)) {
    refuse("a convolution's weights, scales and bias do not go together");
  }
}

PackedConvolution pack(const ByteConvolution::Description& it) {
  const ConvolutionShape& shape = it.shape;
  PackedConvolution packed;
  packed.shape = shape;
  packed.blocks = (shape.outputs + kBlock - 1) / kBlock;
  packed.quads = up_to_whole(shape.kernel_width * shape.channels, kQuad) / kQuad;
  packed.zero = it.output_zero;
  packed.bias.assign(packed.blocks * kBlock, 0);
  packed.factors.assign(packed.blocks * kBlock, 0);
  std::ranges::copy(it.bias, packed.bias.begin());
  std::ranges::copy(it.factors, packed.factors.begin());
  const std::size_t row = packed.quads * kBlock * kQuad;
  packed.weights.assign(packed.blocks * shape.kernel_height * row, 0);
  const std::int8_t* weight = it.weights.data();
  for (std::size_t output = 0; output < shape.outputs; ++output) {
    std::int8_t* block = packed.weights.data() + output / kBlock * shape.kernel_height * row;
    std::int64_t sum = 0;
    for (std::size_t channel = 0; channel < shape.channels; ++channel) {
      for (std::size_t y = 0; y < shape.kernel_height; ++y) {
        for (std::size_t x = 0; x < shape.kernel_width; ++x, ++weight) {
          const std::size_t i = x * shape.channels + channel;
          block[y * row + (i / kQuad * kBlock + output % kBlock) * kQuad + i % kQuad] = *weight;
          sum += *weight;
        }
      }
    }
    // As 32 bits add up, whatever overflows.
    packed.bias[output] = static_cast<std::int32_t>(static_cast<std::uint32_t>(
        static_cast<std::int64_t>(packed.bias[output]) - sum * it.input_zero));
  }
  return packed;
}

// What a thread reads padded lines from. It keeps it, so that frames allocate nothing.
std::uint8_t* scratch(std::size_t bytes) {
  static thread_local std::vector<std::uint8_t> memory;
  if (memory.size() < bytes) memory.resize(bytes);
  return memory.data();
}

}  // namespace

const ConvolutionKernel& portable_convolution() {
  static constexpr ConvolutionKernel kKernel{"portable", run_portable};
  return kKernel;
}

const ConvolutionKernel* fast_convolution() {
  return avx512_convolution();
}

ByteConvolution::ByteConvolution(const Description& description, const ConvolutionKernel& kernel)
    : packed_((check(description), pack(description))),
      kernel_(kernel),
      input_zero_(description.input_zero),
      table_(description.table) {
  const ConvolutionShape& it = packed_.shape;
  // A last quad that is not whole reads beyond the pixel.
  is_pointwise_ = it.kernel_height == 1 && it.kernel_width == 1 && it.stride_down == 1 &&
                  it.stride_across == 1 && it.channels % kQuad == 0;
}

std::optional<ByteConvolution::Side> ByteConvolution::output_of(Side input) const {
  const ConvolutionShape& it = packed_.shape;
  const std::size_t height = input.height + it.pad_top + it.pad_bottom;
  const std::size_t width = input.width + it.pad_left + it.pad_right;
  if (height < it.kernel_height || width < it.kernel_width) return std::nullopt;
  return Side{(height - it.kernel_height) / it.stride_down + 1,
              (width - it.kernel_width) / it.stride_across + 1};
}

std::size_t ByteConvolution::lines_at_a_time(Side input) const {
  constexpr std::size_t kBytes = std::size_t{96} << 10U;
  constexpr std::size_t kParts = 8;
  const ConvolutionShape& it = packed_.shape;
  const std::size_t line = (input.width + it.pad_left + it.pad_right) * it.channels;
  const std::size_t in_cache = kBytes / std::max<std::size_t>(1, line * it.stride_down);
  const std::size_t shared = input.height / it.stride_down / kParts + 1;
  return std::max<std::size_t>(2, std::min(in_cache, shared));
}

void ByteConvolution::pad(const std::uint8_t* from, Side input, std::size_t first_line,
                          std::size_t lines, std::uint8_t* to) const {
  const ConvolutionShape& it = packed_.shape;
  const std::size_t left = it.pad_left * it.channels;
  const std::size_t right = it.pad_right * it.channels;
  const std::size_t bytes = input.width * it.channels;
  for (std::size_t line = first_line; line < first_line + lines; ++line) {
    if (line < it.pad_top || line - it.pad_top >= input.height) {
      std::memset(to, input_zero_, left + bytes + right);
    } else {
      std::memset(to, input_zero_, left);
      std::memcpy(to + left, from + (line - it.pad_top) * bytes, bytes);
      std::memset(to + left + bytes, input_zero_, right);
    }
    to += left + bytes + right;
  }
}

void ByteConvolution::run(const std::uint8_t* from, Side input, std::uint8_t* to, std::size_t first,
                          std::size_t last) const {
  const ConvolutionShape& it = packed_.shape;
  const std::size_t columns = output_of(input)->width;
  const std::size_t lines = last - first;
  if (lines == 0 || columns == 0) return;
  std::uint8_t* place = to + first * columns * it.outputs;
  ConvolutionLines work{from + first * input.width * it.channels, 0, place, 1, lines * columns};
  if (!is_pointwise_) {
    const std::size_t line_bytes = (input.width + it.pad_left + it.pad_right) * it.channels;
    const std::size_t needed = (lines - 1) * it.stride_down + it.kernel_height;
    std::uint8_t* padded = scratch(needed * line_bytes + kQuad);
    pad(from, input, first * it.stride_down, needed, padded);
    work = {padded, line_bytes, place, lines, columns};
  }
  kernel_.run(packed_, work);
  if (table_) {
    best_byte_table().look_up(*table_, place, place, {.bytes = lines * columns * it.outputs});
  }
}

}  // namespace andon::vision
