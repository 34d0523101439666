// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

using Side = ByteConvolution::Side;

struct Example {
  ConvolutionShape shape;
  Side input;
  std::uint8_t input_zero = 0;
  std::uint8_t output_zero = 0;
  bool has_table = false;
  std::vector<std::int8_t> weights;
  std::vector<std::int32_t> bias;
  std::vector<float> factors;
  std::vector<std::uint8_t> pixels;
  ByteTable table{};

  [[nodiscard]] ByteConvolution convolution(const ConvolutionKernel& kernel) const {
    return {{shape, weights, bias, factors, input_zero, output_zero,
             has_table ? std::optional(table) : std::nullopt},
            kernel};
  }
};

Example example(ConvolutionShape shape, Side input, unsigned seed) {
  std::mt19937 random(seed);
  Example it{.shape = shape, .input = input};
  it.input_zero = static_cast<std::uint8_t>(random());
  it.output_zero = static_cast<std::uint8_t>(random());
  it.has_table = random() % 2 == 0;
  it.weights.resize(shape.outputs * shape.channels * shape.kernel_height * shape.kernel_width);
  for (auto& value : it.weights) value = static_cast<std::int8_t>(random());
  it.bias.resize(shape.outputs);
  for (auto& value : it.bias) value = static_cast<std::int32_t>(random() % 20000) - 10000;
  it.factors.resize(shape.outputs);
  for (auto& value : it.factors) value = 0.0005F * static_cast<float>(1 + random() % 20);
  it.pixels.resize(input.height * input.width * shape.channels);
  for (auto& value : it.pixels) value = static_cast<std::uint8_t>(random());
  for (auto& value : it.table) value = static_cast<std::uint8_t>(random());
  return it;
}

// Straight from the definition.
std::vector<std::uint8_t> expected(const Example& it, Side output) {
  const ConvolutionShape& shape = it.shape;
  std::vector<std::uint8_t> values;
  for (std::size_t y = 0; y < output.height; ++y) {
    for (std::size_t x = 0; x < output.width; ++x) {
      for (std::size_t o = 0; o < shape.outputs; ++o) {
        std::int32_t sum = it.bias[o];
        std::size_t weight = o * shape.channels * shape.kernel_height * shape.kernel_width;
        for (std::size_t c = 0; c < shape.channels; ++c) {
          for (std::size_t v = 0; v < shape.kernel_height; ++v) {
            for (std::size_t u = 0; u < shape.kernel_width; ++u, ++weight) {
              const std::size_t line = y * shape.stride_down + v;
              const std::size_t column = x * shape.stride_across + u;
              if (line < shape.pad_top || line - shape.pad_top >= it.input.height ||
                  column < shape.pad_left || column - shape.pad_left >= it.input.width) {
                continue;
              }
              const std::size_t place =
                  ((line - shape.pad_top) * it.input.width + column - shape.pad_left) *
                      shape.channels +
                  c;
              sum += it.weights[weight] * (it.pixels[place] - it.input_zero);
            }
          }
        }
        const float value = std::nearbyint(static_cast<float>(sum) * it.factors[o]);
        const auto byte = static_cast<std::uint8_t>(
            std::clamp(value + static_cast<float>(it.output_zero), 0.0F, 255.0F));
        values.push_back(it.has_table ? it.table[byte] : byte);
      }
    }
  }
  return values;
}

std::vector<std::uint8_t> run(const Example& it, const ConvolutionKernel& kernel,
                              std::size_t lines_at_once) {
  const ByteConvolution convolution = it.convolution(kernel);
  const Side output = *convolution.output_of(it.input);
  std::vector<std::uint8_t> found(output.height * output.width * it.shape.outputs, 0xAA);
  for (std::size_t first = 0; first < output.height; first += lines_at_once) {
    convolution.run(it.pixels.data(), it.input, found.data(), first,
                    std::min(output.height, first + lines_at_once));
  }
  return found;
}

std::vector<const ConvolutionKernel*> kernels() {
  std::vector<const ConvolutionKernel*> all{&portable_convolution()};
  if (const ConvolutionKernel* fast = fast_convolution()) all.push_back(fast);
  return all;
}

void expect_definition(const Example& it) {
  const Side output = *it.convolution(portable_convolution()).output_of(it.input);
  const auto wanted = expected(it, output);
  for (const ConvolutionKernel* kernel : kernels()) {
    EXPECT_EQ(run(it, *kernel, output.height), wanted) << kernel->name;
    EXPECT_EQ(run(it, *kernel, 2), wanted) << kernel->name;
  }
}

TEST(ByteConvolution, EachKernelGivesTheDefinitionForEveryCountOfOutputs) {
  for (std::size_t outputs = 1; outputs <= 100; ++outputs) {
    SCOPED_TRACE(outputs);
    expect_definition(
        example({8, outputs, 3, 3, 1, 1, 1, 1, 1, 1}, {5, 13}, static_cast<unsigned>(outputs)));
  }
}

TEST(ByteConvolution, EachKernelGivesTheDefinitionForEveryWidth) {
  for (std::size_t width = 1; width <= 40; ++width) {
    SCOPED_TRACE(width);
    for (const std::size_t outputs : {16U, 32U, 48U, 64U, 80U}) {
      expect_definition(
          example({4, outputs, 1, 1, 1, 1, 0, 0, 0, 0}, {3, width}, static_cast<unsigned>(width)));
    }
  }
}

TEST(ByteConvolution, EachKernelGivesTheDefinitionForOddShapes) {
  expect_definition(example({3, 16, 3, 3, 2, 2, 1, 1, 1, 1}, {9, 11}, 1));
  expect_definition(example({12, 16, 2, 2, 1, 1, 1, 1, 0, 0}, {8, 8}, 2));
  expect_definition(example({5, 7, 1, 1, 1, 1, 0, 0, 0, 0}, {4, 4}, 3));
  expect_definition(example({6, 20, 5, 2, 2, 3, 2, 0, 1, 1}, {10, 12}, 4));
  expect_definition(example({64, 64, 3, 3, 2, 2, 1, 1, 0, 0}, {6, 6}, 5));
  expect_definition(example({16, 33, 1, 7, 1, 1, 0, 3, 0, 3}, {2, 9}, 6));
  expect_definition(example({8, 16, 1, 1, 2, 2, 0, 0, 0, 0}, {7, 7}, 7));
}

TEST(ByteConvolution, RefusesPartsThatDoNotFit) {
  const auto refuses = [](const Example& it) {
    EXPECT_THROW((void)it.convolution(portable_convolution()), base::Error);
  };
  const Example whole = example({4, 16, 3, 3, 1, 1, 1, 1, 1, 1}, {4, 4}, 1);
  EXPECT_NO_THROW((void)whole.convolution(portable_convolution()));
  Example it = whole;
  it.weights.pop_back();
  refuses(it);
  it = whole;
  it.bias.pop_back();
  refuses(it);
  it = whole;
  it.factors.clear();
  refuses(it);
  it = whole;
  it.shape.stride_down = 0;
  refuses(it);
  it = whole;
  it.shape.pad_left = 3;
  refuses(it);
  it = whole;
  it.shape.channels = std::size_t{1} << 60U;
  refuses(it);
}

TEST(ByteConvolution, HasNoOutputWhereTheKernelIsLargerThanTheInput) {
  const Example it = example({4, 16, 3, 3, 1, 1, 0, 0, 0, 0}, {3, 3}, 1);
  const ByteConvolution convolution = it.convolution(portable_convolution());
  EXPECT_FALSE(convolution.output_of({2, 3}));
  EXPECT_FALSE(convolution.output_of({3, 0}));
  EXPECT_EQ(convolution.output_of({3, 4})->width, 2U);
}

}  // namespace
}  // namespace andon::vision
