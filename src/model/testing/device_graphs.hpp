// SPDX-License-Identifier: Apache-2.0
// For tests: models over pixels, and what their device graphs give beside them.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "model/graph/execution.hpp"
#include "model/testing/quantised.hpp"

namespace andon::model {

// With pixels as an input: a byte over 255.
inline Quantised over_pixels(const ModelBuilder& builder) {
  return quantised(builder, {}, {{"images", {0, 1}}});
}

inline std::map<std::string, int> operators_of(const Model& model) {
  std::map<std::string, int> counts;
  for (const auto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

// A picture as each of the two takes it.
inline std::vector<std::byte> as_planes(const std::vector<std::uint8_t>& pixels) {
  std::vector<std::byte> planes(pixels.size() * sizeof(float));
  const std::size_t plane = pixels.size() / 3;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const float value = static_cast<float>(pixels[i]) / 255;
    std::memcpy(planes.data() + (i % 3 * plane + i / 3) * sizeof(float), &value, sizeof value);
  }
  return planes;
}
inline std::vector<std::byte> as_squares(const std::vector<std::uint8_t>& pixels,
                                         std::size_t width) {
  std::vector<std::byte> squares(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t y = i / 3 / width;
    const std::size_t x = i / 3 % width;
    const std::size_t square = y / 2 * (width / 2) + x / 2;
    squares[square * 12 + y % 2 * 6 + x % 2 * 3 + i % 3] = static_cast<std::byte>(pixels[i]);
  }
  return squares;
}

// Of the outputs of both on noise, in parts of the largest.
inline double difference(const Model& plain, const Model& device, std::size_t width,
                         std::size_t height) {
  std::minstd_rand generator(11);
  std::vector<std::uint8_t> pixels(width * height * 3);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(generator() >> 7U);
  Execution first(test_runtime(), plain, output_names(plain), inputs_of(plain, std::nullopt));
  Execution second(test_runtime(), device, output_names(device), inputs_of(device, std::nullopt));
  const auto planes = as_planes(pixels);
  const bool is_squares = second.inputs().front().element_type == onnx::TensorProto::UINT8;
  const auto other = is_squares ? as_squares(pixels, width) : planes;
  const std::span<const std::byte> left(planes);
  const std::span<const std::byte> right(other);
  return largest_difference(first.run({&left, 1}), second.run({&right, 1}));
}

}  // namespace andon::model
