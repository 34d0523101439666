// SPDX-License-Identifier: Apache-2.0
// raise_opset and store_half_weights of model/cleanup.hpp.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "base/error/error.hpp"
#include "model/graph/cleanup.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

// An attribute of numbers becomes input `place`.
void attribute_to_input(onnx::GraphProto& graph, onnx::NodeProto& node, const std::string& name,
                        int place, NameSource& names) {
  if (find_attribute(node, name) == nullptr) return;
  const std::vector<std::int64_t> values = integers_attribute(node, name);
  const std::string tensor = names.make(node.output(0) + "_" + name);
  *graph.add_initializer() = make_integers(tensor, values);
  while (node.input_size() < place) node.add_input("");
  node.add_input(tensor);
  remove_attribute(node, name);
}

bool is_softmax(const onnx::NodeProto& node) {
  return is_onnx_operator(node, "Softmax") || is_onnx_operator(node, "LogSoftmax") ||
         is_onnx_operator(node, "Hardmax");
}

// Before 13, Softmax took everything from `axis` (1 if not said) on as one row. That is the same
// as one axis where all behind it have length 1, or it is the last.
void settle_softmax_axis(onnx::NodeProto& node, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = integer_attribute(node, "axis", 1);
  if (axis < 0) axis += rank;
  std::int64_t last = axis;
  std::size_t longer_than_one = 0;
  for (std::int64_t i = axis; i < rank; ++i) {
    if (shape[static_cast<std::size_t>(i)] == 1) continue;
    ++longer_than_one;
    last = i;
  }
  if (axis < 0 || axis >= rank || longer_than_one > 1) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} works on several axes at once, which opset {} has no operator for; "
                            "export it with a newer opset",
                            name_of(node), kQuantisableOpset));
  }
  set_integer_attribute(node, "axis", last);
}

std::uint16_t half_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const float magnitude = std::fabs(value);
  if (magnitude < 6.103515625e-05F) {  // subnormal: multiples of 2^-24
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 16777216.0F)));
  }
  // Round to nearest, ties to even, in the 13 bits that go.
  std::uint32_t rounded = (bits & 0x7FFFFFFFU) + 0x0FFFU + ((bits >> 13U) & 1U);
  rounded = (rounded - (112U << 23U)) >> 13U;
  return static_cast<std::uint16_t>(sign | rounded);
}

}  // namespace

std::string raise_opset(const vision::OnnxRuntime& runtime, Model& model,
                        std::optional<vision::Size> input_size) {
  const int before = model.opset();
  if (before >= kQuantisableOpset) return {};
  onnx::GraphProto& graph = model.graph();
  std::map<std::string, TensorFacts> facts;
  for (const auto& node : graph.node()) {
    if (has_subgraphs(node)) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{} ({}) has graphs of its own, which are not converted from opset "
                              "{}; export the model with opset {} or newer",
                              name_of(node), node.op_type(), before, kQuantisableOpset));
    }
    if (is_softmax(node) && facts.empty()) facts = observe(runtime, model, input_size);
  }
  NameSource names(graph);
  for (auto& node : *graph.mutable_node()) {
    if (is_onnx_operator(node, "Split")) attribute_to_input(graph, node, "split", 1, names);
    if (is_onnx_operator(node, "Squeeze") || is_onnx_operator(node, "Unsqueeze") ||
        is_onnx_operator(node, "ReduceSum")) {
      attribute_to_input(graph, node, "axes", 1, names);
    }
    if (is_softmax(node)) settle_softmax_axis(node, facts.at(node.output(0)).shape);
  }
  model.set_opset(kQuantisableOpset);
  return fmt::format("opset raised from {} to {}", before, kQuantisableOpset);
}

std::string store_half_weights(Model& model) {
  constexpr float kLargestHalf = 65'504.0F;
  constexpr std::size_t kSmallestBytes = 1024;
  onnx::GraphProto& graph = model.graph();
  NameSource names(graph);
  std::vector<onnx::NodeProto> casts;
  const GraphIndex index(graph);
  for (auto& tensor : *graph.mutable_initializer()) {
    if (tensor.data_type() != onnx::TensorProto::FLOAT || bytes_of(tensor) < kSmallestBytes ||
        index.is_output(tensor.name())) {
      continue;
    }
    const std::vector<float> values = floats_of(tensor);
    std::vector<std::uint16_t> halves;
    halves.reserve(values.size());
    for (const float value : values) {
      if (!(std::fabs(value) <= kLargestHalf)) break;
      halves.push_back(half_of(value));
    }
    if (halves.size() != values.size()) continue;
    const std::string name = tensor.name();
    const std::string stored = names.make(name + "_half");
    tensor = make_tensor(stored, onnx::TensorProto::FLOAT16, shape_of(tensor),
                         std::as_bytes(std::span(halves)));
    onnx::NodeProto cast = make_node("Cast", stored + "_read", {stored}, {name});
    set_integer_attribute(cast, "to", onnx::TensorProto::FLOAT);
    casts.push_back(std::move(cast));
  }
  if (casts.empty()) return {};
  for (onnx::NodeProto& cast : casts) *graph.add_node() = std::move(cast);
  sort_topologically(graph);
  return fmt::format("{} weights stored as float16", casts.size());
}

}  // namespace andon::model
