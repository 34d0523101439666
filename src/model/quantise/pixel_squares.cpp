// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/pixel_squares.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

constexpr std::int64_t kColours = 3;
constexpr std::int64_t kChannels = 12;
constexpr std::int64_t kLargestKernel = 16;

// Which squares, counted from the one that the output lies at, a kernel reaches along one side.
struct Reach {
  std::int64_t first = 0;
  std::int64_t last = 0;
  [[nodiscard]] std::int64_t size() const { return last - first + 1; }
};
std::int64_t half_down(std::int64_t value) {
  return value >= 0 ? value / 2 : -((1 - value) / 2);
}
Reach reach_of(std::int64_t kernel, std::int64_t padding) {
  return {half_down(-padding), half_down(kernel - 1 - padding)};
}

bool is_every(const Shape& values, std::int64_t wanted) {
  return std::ranges::all_of(values, [&](std::int64_t value) { return value == wanted; });
}

// With the padding that gives an output half as large as the input, as over squares.
bool can_be_written(const onnx::NodeProto& node, const onnx::TensorProto* weights) {
  if (!is_onnx_operator(node, "Conv") || weights == nullptr ||
      weights->data_type() != onnx::TensorProto::INT8 || weights->dims_size() != 4 ||
      weights->dims(1) != kColours || integer_attribute(node, "group", 1) != 1 ||
      text_attribute(node, "auto_pad", "NOTSET") != "NOTSET" ||
      !is_every(integers_attribute(node, "dilations"), 1)) {
    return false;
  }
  const Shape strides = integers_attribute(node, "strides");
  const Shape pads = integers_attribute(node, "pads");
  if (strides != Shape{2, 2} || pads.size() != 4) return false;
  for (const std::size_t side : {0U, 1U}) {
    const std::int64_t kernel = weights->dims(static_cast<int>(side) + 2);
    if (kernel < 1 || kernel > kLargestKernel || pads[side] < 0 || pads[side] >= kernel ||
        pads[side + 2] < 0) {
      return false;
    }
    // floor((2 n + before + after - kernel) / 2) + 1 is n.
    const std::int64_t beyond = pads[side] + pads[side + 2] - kernel;
    if (half_down(beyond) != -1) return false;
  }
  return weights->raw_data().size() == element_count(*weights);
}

bool is_even(const onnx::TensorShapeProto::Dimension& dimension) {
  return !dimension.has_dim_value() || dimension.dim_value() % 2 == 0;
}

}  // namespace

std::optional<PixelSquares> find_pixel_squares(const Model& quantised, float divisor) {
  const auto& graph = quantised.graph();
  if (graph.input_size() != 1) return std::nullopt;
  const GraphIndex index(graph);
  const auto& input = graph.input(0);
  const auto& shape = input.type().tensor_type().shape();
  if (input.type().tensor_type().elem_type() != onnx::TensorProto::FLOAT || shape.dim_size() != 4 ||
      (shape.dim(1).has_dim_value() && shape.dim(1).dim_value() != kColours) ||
      !is_even(shape.dim(2)) || !is_even(shape.dim(3)) || !index.has_one_reader(input.name())) {
    return std::nullopt;
  }
  const auto& writer = graph.node(index.consumers(input.name()).front());
  if (!is_onnx_operator(writer, "QuantizeLinear") || writer.input_size() != 3) return std::nullopt;
  const auto* scale = index.initialiser(writer.input(1));
  const auto* zero = index.initialiser(writer.input(2));
  if (scale == nullptr || zero == nullptr || scale->data_type() != onnx::TensorProto::FLOAT ||
      zero->data_type() != onnx::TensorProto::UINT8 || element_count(*scale) != 1 ||
      zero->raw_data() != std::string(1, '\0') ||
      std::fabs(floats_of(*scale).front() * divisor - 1) > 1e-6F) {
    return std::nullopt;
  }
  const std::string& bytes = writer.output(0);
  if (!index.has_one_reader(bytes)) return std::nullopt;
  const auto& reader = graph.node(index.consumers(bytes).front());
  if (!is_onnx_operator(reader, "DequantizeLinear") || index.is_output(reader.output(0))) {
    return std::nullopt;
  }
  for (const int place : index.consumers(reader.output(0))) {
    const auto& node = graph.node(place);
    const auto* weights = node.input_size() > 1 ? index.producer(node.input(1)) : nullptr;
    if (weights == nullptr || node.input(0) != reader.output(0) ||
        !can_be_written(node, index.initialiser(weights->input(0)))) {
      return std::nullopt;
    }
  }
  return PixelSquares{input.name(), bytes};
}

void declare_squares(onnx::GraphProto& graph, const PixelSquares& squares) {
  auto& input = *graph.mutable_input(0);
  input.set_name(squares.bytes);
  auto& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::UINT8);
  const onnx::TensorShapeProto before = type.shape();
  auto& shape = *type.mutable_shape();
  shape.clear_dim();
  *shape.add_dim() = before.dim(0);
  for (const int side : {2, 3}) {
    auto& dimension = *shape.add_dim();
    if (before.dim(side).has_dim_value()) {
      dimension.set_dim_value(before.dim(side).dim_value() / 2);
    } else {
      dimension.set_dim_param(side == 2 ? "squares_down" : "squares_across");
    }
  }
  shape.add_dim()->set_dim_value(kChannels);
}

bool takes_squares(const Model& model) {
  return model.graph().input_size() == 1 &&
         model.graph().input(0).type().tensor_type().elem_type() == onnx::TensorProto::UINT8;
}

onnx::TensorProto convolve_squares(onnx::NodeProto& convolution, const onnx::TensorProto& weights) {
  const Shape pads = integers_attribute(convolution, "pads");
  const std::int64_t outputs = weights.dims(0);
  const std::int64_t height = weights.dims(2);
  const std::int64_t width = weights.dims(3);
  const Reach down = reach_of(height, pads[0]);
  const Reach across = reach_of(width, pads[1]);
  std::vector<std::int8_t> stored(
      static_cast<std::size_t>(outputs * kChannels * down.size() * across.size()), 0);
  const std::string& values = weights.raw_data();
  std::size_t from = 0;
  for (std::int64_t output = 0; output < outputs; ++output) {
    for (std::int64_t colour = 0; colour < kColours; ++colour) {
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x, ++from) {
          // Of the square that the output lies at, and of the pixel in it.
          const std::int64_t line = y - pads[0];
          const std::int64_t column = x - pads[1];
          const std::int64_t square_line = half_down(line);
          const std::int64_t square_column = half_down(column);
          const std::int64_t channel =
              ((line - 2 * square_line) * 2 + (column - 2 * square_column)) * kColours + colour;
          const std::int64_t place =
              ((output * kChannels + channel) * down.size() + square_line - down.first) *
                  across.size() +
              square_column - across.first;
          stored[static_cast<std::size_t>(place)] = static_cast<std::int8_t>(values[from]);
        }
      }
    }
  }
  set_integers_attribute(convolution, "kernel_shape", {down.size(), across.size()});
  set_integers_attribute(convolution, "strides", {1, 1});
  set_integers_attribute(convolution, "pads",
                         {-down.first, -across.first, std::max<std::int64_t>(down.last, 0),
                          std::max<std::int64_t>(across.last, 0)});
  return make_tensor("", onnx::TensorProto::INT8, {outputs, kChannels, down.size(), across.size()},
                     std::as_bytes(std::span(stored)));
}

}  // namespace andon::model
