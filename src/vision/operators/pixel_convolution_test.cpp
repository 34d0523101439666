// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/pixel_convolution.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

struct Example {
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<std::uint8_t> bytes;
};

Example example(std::size_t channels, std::size_t outputs, std::size_t pixels) {
  std::mt19937 random(static_cast<unsigned>(channels * 1000 + outputs * 10 + pixels));
  std::uniform_real_distribution<float> value(-1, 1);
  Example it{std::vector<float>(channels * outputs), std::vector<float>(outputs),
             std::vector<std::uint8_t>(channels * pixels)};
  for (float& each : it.weights) each = value(random);
  for (float& each : it.bias) each = value(random);
  for (std::uint8_t& each : it.bytes) each = static_cast<std::uint8_t>(random());
  return it;
}

void expect_definition(std::size_t channels, std::size_t outputs, std::size_t pixels) {
  const Example it = example(channels, outputs, pixels);
  const PackedPixelConvolution packed = pack({channels, outputs, it.weights, it.bias, 0.03F, 101});
  for (const PixelConvolutionKernel* kernel :
       {&portable_pixel_convolution(), &best_pixel_convolution()}) {
    std::vector<float> found(outputs * pixels, -99);
    const std::size_t middle = pixels / 3;
    kernel->run(packed, it.bytes.data(), pixels, found.data(), 0, middle);
    kernel->run(packed, it.bytes.data(), pixels, found.data(), middle, pixels);
    for (std::size_t output = 0; output < outputs; ++output) {
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
        double wanted = it.bias[output];
        for (std::size_t channel = 0; channel < channels; ++channel) {
          wanted += it.weights[output * channels + channel] * 0.03 *
                    (it.bytes[pixel * channels + channel] - 101);
        }
        ASSERT_NEAR(found[output * pixels + pixel], wanted, 1e-4)
            << kernel->name << ", " << channels << " channels, output " << output << " of "
            << outputs << ", pixel " << pixel << " of " << pixels;
      }
    }
  }
}

TEST(PixelConvolution, EachKernelGivesTheDefinition) {
  for (const std::size_t outputs : {1U, 7U, 8U, 9U, 64U}) {
    for (const std::size_t pixels : {1U, 16U, 47U, 48U, 150U, 400U}) {
      expect_definition(64, outputs, pixels);
    }
  }
  expect_definition(80, 3, 100);
  expect_definition(5, 3, 100);  // no multiple of four
  expect_definition(1, 1, 50);
}

TEST(PixelConvolution, HasABiasOrNone) {
  const Example it = example(4, 2, 3);
  const PackedPixelConvolution packed = pack({4, 2, it.weights, {}, 0, 0});
  std::vector<float> found(6, -99);
  best_pixel_convolution().run(packed, it.bytes.data(), 3, found.data(), 0, 3);
  EXPECT_EQ(found, std::vector<float>(6, 0));
}

TEST(PixelConvolution, RefusesPartsThatDoNotFit) {
  const Example it = example(4, 2, 3);
  EXPECT_THROW((void)pack({4, 3, it.weights, it.bias, 1, 0}), base::Error);
  EXPECT_THROW((void)pack({0, 2, {}, it.bias, 1, 0}), base::Error);
  EXPECT_THROW((void)pack({4, 2, it.weights, std::span(it.bias).first(1), 1, 0}), base::Error);
  EXPECT_THROW((void)pack({std::size_t{1} << 63U, 2, it.weights, it.bias, 1, 0}), base::Error);
}

}  // namespace
}  // namespace andon::vision
