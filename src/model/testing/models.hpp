// SPDX-License-Identifier: Apache-2.0
// For tests: small models made of nodes and random weights, among them a detector with a head as
// YOLOv8 has it. Always the same for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/graph/model.hpp"
#include "model/graph/onnx.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

inline const vision::OnnxRuntime& test_runtime() {
  static const vision::OnnxRuntime loaded;
  return loaded;
}

class ModelBuilder {
 public:
  explicit ModelBuilder(int opset = 13) {
    proto_.set_ir_version(7);
    proto_.add_opset_import()->set_version(opset);
    graph().set_name("test");
  }

  [[nodiscard]] onnx::ModelProto& proto() { return proto_; }
  [[nodiscard]] onnx::GraphProto& graph() { return *proto_.mutable_graph(); }
  [[nodiscard]] std::string bytes() const { return proto_.SerializeAsString(); }
  [[nodiscard]] Model model(std::string_view name = "test.onnx") const {
    return Model::parse(bytes(), name);
  }

  void input(const std::string& name, const Shape& shape) {
    declare(*graph().add_input(), name, shape);
  }
  void output(const std::string& name, const Shape& shape) {
    declare(*graph().add_output(), name, shape);
  }
  void metadata(const std::string& key, const std::string& value) {
    auto& entry = *proto_.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }

  onnx::NodeProto& node(std::string_view type, std::vector<std::string> inputs,
                        std::vector<std::string> outputs) {
    *graph().add_node() =
        make_node(type, outputs.front() + "/" + std::string(type), inputs, outputs);
    return *graph().mutable_node(graph().node_size() - 1);
  }
  std::string floats(const std::string& name, const Shape& shape,
                     const std::vector<float>& values) {
    *graph().add_initializer() = make_floats(name, shape, values);
    return name;
  }
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    *graph().add_initializer() = make_integers(name, values);
    return name;
  }
  // Even over [-spread, spread].
  std::string random(const std::string& name, const Shape& shape, float spread) {
    std::vector<float> values(element_count(shape));
    for (float& value : values) {
      value = (static_cast<float>(generator_() % 2001U) / 1000.0F - 1.0F) * spread;
    }
    return floats(name, shape, values);
  }
  std::string conv(const std::string& from, const std::string& to, std::int64_t in,
                   std::int64_t out, std::int64_t side, std::int64_t stride) {
    const float spread = 2.0F / static_cast<float>(in * side);
    auto& made = node(
        "Conv",
        {from, random(to + ".w", {out, in, side, side}, spread), random(to + ".b", {out}, 0.1F)},
        {to});
    set_integers(made, "strides", {stride, stride});
    set_integers(made, "pads", {side / 2, side / 2, side / 2, side / 2});
    return to;
  }
  // A convolution and x * sigmoid(x).
  std::string block(const std::string& from, const std::string& to, std::int64_t in,
                    std::int64_t out, std::int64_t stride) {
    conv(from, to + ".c", in, out, 3, stride);
    node("Sigmoid", {to + ".c"}, {to + ".s"});
    node("Mul", {to + ".c", to + ".s"}, {to});
    return to;
  }
  static void set_integers(onnx::NodeProto& node, const std::string& name, const Shape& values) {
    set_integers_attribute(node, name, values);
  }

 private:
  static void declare(onnx::ValueInfoProto& value, const std::string& name, const Shape& shape) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape();
    for (const std::int64_t dimension : shape) {
      auto& added = *type.mutable_shape()->add_dim();
      if (dimension < 0) {
        added.set_dim_param("n");
      } else {
        added.set_dim_value(dimension);
      }
    }
  }

  onnx::ModelProto proto_;
  std::minstd_rand generator_{7};
};

// 64x64 pictures, strides 8 and 16, two classes, 80 anchors; a Concat and a MaxPool on the way.
inline ModelBuilder tiny_detector() {
  constexpr std::int64_t kBins = 16;
  constexpr std::int64_t kClasses = 2;
  ModelBuilder it;
  it.input("images", {1, 3, 64, 64});
  it.block("images", "p1", 3, 8, 2);
  it.block("p1", "p2", 8, 16, 2);
  it.block("p2", "p3", 16, 16, 2);
  auto& pool = it.node("MaxPool", {"p3"}, {"pool"});
  ModelBuilder::set_integers(pool, "kernel_shape", {3, 3});
  ModelBuilder::set_integers(pool, "pads", {1, 1, 1, 1});
  set_integer_attribute(it.node("Concat", {"p3", "pool"}, {"level8"}), "axis", 1);
  it.block("level8", "level16", 32, 32, 2);
  it.integers("flat", {1, 4 * kBins + kClasses, -1});
  std::vector<float> x;
  std::vector<float> y;
  std::vector<float> strides;
  std::vector<std::string> flat;
  for (const int stride : {8, 16}) {
    const std::string from = "level" + std::to_string(stride);
    const std::string end = std::to_string(stride);
    it.block(from, "box" + end, 32, 16, 1);
    it.conv("box" + end, "boxes" + end, 16, 4 * kBins, 1, 1);
    it.block(from, "cls" + end, 32, 16, 1);
    it.conv("cls" + end, "scores" + end, 16, kClasses, 1, 1);
    set_integer_attribute(it.node("Concat", {"boxes" + end, "scores" + end}, {"raw" + end}), "axis",
                          1);
    it.node("Reshape", {"raw" + end, "flat"}, {"flat" + end});
    flat.push_back("flat" + end);
    const int side = 64 / stride;
    for (int cell = 0; cell < side * side; ++cell) {
      x.push_back(static_cast<float>(cell % side) + 0.5F);
      y.push_back(static_cast<float>(cell / side) + 0.5F);
      strides.push_back(static_cast<float>(stride));
    }
  }
  const auto anchors = static_cast<std::int64_t>(x.size());
  set_integer_attribute(it.node("Concat", flat, {"all"}), "axis", 2);
  it.integers("parts", {4 * kBins, kClasses});
  set_integer_attribute(it.node("Split", {"all", "parts"}, {"distances", "logits"}), "axis", 1);
  it.integers("by_side", {1, 4, kBins, anchors});
  it.node("Reshape", {"distances", "by_side"}, {"sides"});
  ModelBuilder::set_integers(it.node("Transpose", {"sides"}, {"bins"}), "perm", {0, 2, 1, 3});
  set_integer_attribute(it.node("Softmax", {"bins"}, {"shares"}), "axis", 1);
  std::vector<float> ramp;
  for (std::int64_t i = 0; i < kBins; ++i) ramp.push_back(static_cast<float>(i));
  it.node("Conv", {"shares", it.floats("dfl", {1, kBins, 1, 1}, ramp)}, {"mean"});
  it.integers("four", {1, 4, anchors});
  it.node("Reshape", {"mean", "four"}, {"ltrb"});
  it.integers("halves", {2, 2});
  set_integer_attribute(it.node("Split", {"ltrb", "halves"}, {"lt", "rb"}), "axis", 1);
  std::vector<float> centres = x;
  centres.insert(centres.end(), y.begin(), y.end());
  it.floats("centres", {1, 2, anchors}, centres);
  it.node("Sub", {"centres", "lt"}, {"top_left"});
  it.node("Add", {"centres", "rb"}, {"bottom_right"});
  it.node("Add", {"top_left", "bottom_right"}, {"sum"});
  it.node("Div", {"sum", it.floats("two", {}, {2.0F})}, {"middle"});
  it.node("Sub", {"bottom_right", "top_left"}, {"size"});
  set_integer_attribute(it.node("Concat", {"middle", "size"}, {"cells"}), "axis", 1);
  it.node("Mul", {"cells", it.floats("strides", {1, 1, anchors}, strides)}, {"pixels"});
  it.node("Sigmoid", {"logits"}, {"chances"});
  set_integer_attribute(it.node("Concat", {"pixels", "chances"}, {"output0"}), "axis", 1);
  it.output("output0", {1, 4 + kClasses, anchors});
  it.metadata("names", "{0: 'scratch', 1: 'dent'}");
  it.metadata("task", "detect");
  return it;
}

}  // namespace andon::model
