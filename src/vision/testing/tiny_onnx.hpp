// SPDX-License-Identifier: Apache-2.0
// For tests: writes small ONNX files byte by byte (protobuf wire format), so that sessions and
// detectors can be tested wherever ONNX Runtime is, without a model file.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text/protobuf_writer.hpp"

namespace andon::vision::tiny_onnx {

class Message {
 public:
  Message& number(std::uint64_t field, std::uint64_t value) {
    base::add_protobuf_number(text_, field, value);
    return *this;
  }
  Message& bytes(std::uint64_t field, std::string_view value) {
    base::add_protobuf_bytes(text_, field, value);
    return *this;
  }
  Message& message(std::uint64_t field, const Message& value) { return bytes(field, value.text_); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline constexpr std::uint64_t kFloat32 = 1;
inline constexpr std::uint64_t kUint8 = 2;
inline constexpr std::uint64_t kInt64 = 7;

// -1 for a dimension that is not fixed.
inline Message value_info(std::string_view name, std::uint64_t type,
                          const std::vector<std::int64_t>& dimensions) {
  Message shape;
  for (const std::int64_t dimension : dimensions) {
    shape.message(1, dimension < 0 ? Message().bytes(2, "dynamic")
                                   : Message().number(1, static_cast<std::uint64_t>(dimension)));
  }
  const Message tensor = Message().number(1, type).message(2, shape);
  return Message().bytes(1, name).message(2, Message().message(1, tensor));
}

inline Message float_tensor(std::string_view name, const std::vector<std::int64_t>& dimensions,
                            const std::vector<float>& values) {
  Message tensor;
  for (const std::int64_t dimension : dimensions) {
    tensor.number(1, static_cast<std::uint64_t>(dimension));
  }
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return tensor.number(2, kFloat32).bytes(8, name).bytes(9, raw);
}

inline Message node(std::string_view operation, const std::vector<std::string>& inputs,
                    std::string_view output) {
  Message result;
  for (const std::string& input : inputs) result.bytes(1, input);
  return result.bytes(2, output).bytes(4, operation);
}

// y = x * w, where the two values of w are in `location`, beside the model: how PyTorch's exporter
// writes them.
inline std::string with_weights_in(std::string_view location, std::string_view offset = "0") {
  const auto entry = [](std::string_view key, std::string_view value) {
    return Message().bytes(1, key).bytes(2, value);
  };
  constexpr std::uint64_t kDataLocation = 14;
  const Message weights = Message()
                              .number(1, 2)
                              .number(2, kFloat32)
                              .bytes(8, "w")
                              .message(13, entry("location", location))
                              .message(13, entry("offset", offset))
                              .message(13, entry("length", "8"))
                              .number(kDataLocation, 1);
  const Message graph = Message()
                            .message(1, node("Mul", {"x", "w"}, "y"))
                            .bytes(2, "tiny")
                            .message(5, weights)
                            .message(11, value_info("x", kFloat32, {2}))
                            .message(12, value_info("y", kFloat32, {2}));
  return Message()
      .number(1, 8)
      .message(7, graph)
      .message(8, Message().bytes(1, "").number(2, 13))
      .text();
}

// What differs between the detectors that tests need.
struct DetectorSpec {
  std::vector<std::int64_t> input_shape{1, 3, 32, 32};
  std::uint64_t input_type = kFloat32;
  std::vector<std::int64_t> output_shape{1, 5, 21};  // fixed: the file carries its values
  bool declares_output_shape = true;
  std::vector<float> values;  // of the output; zeros beyond their end
  std::map<std::string, std::string> metadata{{"names", "{0: 'scratch'}"}, {"task", "detect"}};
};

// One box in the middle of the input; on a white picture it has this score.
inline DetectorSpec one_box(float score = 0.8F) {
  DetectorSpec spec;
  spec.values.resize(5 * 21);
  const float rows[]{16, 16, 8, 4, score};
  for (std::size_t c = 0; c < 5; ++c) spec.values[c * 21] = rows[c];
  return spec;
}

// output = values * mean(input): a white picture gives `values`, a black one zeros.
inline std::string detector(const DetectorSpec& spec) {
  std::size_t count = 1;
  for (const std::int64_t dimension : spec.output_shape) {
    count *= static_cast<std::size_t>(dimension);
  }
  std::vector<float> values = spec.values;
  values.resize(count);
  Message mean = node("ReduceMean", {spec.input_type == kFloat32 ? "images" : "cast"}, "mean");
  mean.message(5, Message().bytes(1, "keepdims").number(3, 0).number(20, 2));
  Message graph;
  if (spec.input_type != kFloat32) {
    Message cast = node("Cast", {"images"}, "cast");
    cast.message(5, Message().bytes(1, "to").number(3, kFloat32).number(20, 2));
    graph.message(1, cast);
  }
  graph.message(1, mean)
      .message(1, node("Mul", {"values", "mean"}, "output0"))
      .bytes(2, "tiny")
      .message(5, float_tensor("values", spec.output_shape, values))
      .message(11, value_info("images", spec.input_type, spec.input_shape));
  const std::vector<std::int64_t> unknown(spec.output_shape.size(), -1);
  graph.message(12, value_info("output0", kFloat32,
                               spec.declares_output_shape ? spec.output_shape : unknown));
  Message model;
  model.number(1, 8).message(7, graph).message(8, Message().bytes(1, "").number(2, 13));
  for (const auto& [key, value] : spec.metadata) {
    model.message(14, Message().bytes(1, key).bytes(2, value));
  }
  return model.text();
}

// An output of fixed values: floats, which are multiplied with the mean of the input (so that a
// black picture gives zeros), or whole numbers, which are not.
struct OutputSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // zeros beyond their end
  std::vector<std::int64_t> integers;
  bool scales_with_sizes = false;  // times the second input (width, height, width, height)
};

struct ModelSpec {
  std::vector<std::int64_t> input_shape{1, 3, 32, 32};
  std::vector<OutputSpec> outputs;
  std::map<std::string, std::string> metadata;
  bool takes_sizes = false;  // a second input int64 [1,2]
  // The mean is each picture's own, so that the outputs (declared for one) are those of the batch.
  bool has_batch = false;
  bool is_constant = false;  // the outputs are their values, whatever the picture
};

inline Message mean_over(std::string_view from, std::string_view to,
                         const std::vector<std::uint64_t>& axes, std::uint64_t keeps) {
  Message result = node("ReduceMean", {std::string(from)}, to);
  if (!axes.empty()) {
    Message attribute = Message().bytes(1, "axes");
    for (const std::uint64_t axis : axes) attribute.number(8, axis);
    result.message(5, attribute.number(20, 7));
  }
  result.message(5, Message().bytes(1, "keepdims").number(3, keeps).number(20, 2));
  return result;
}

inline void add_output(Message& graph, const OutputSpec& output, bool has_batch) {
  std::size_t count = 1;
  for (const std::int64_t dimension : output.shape) count *= static_cast<std::size_t>(dimension);
  const std::string constant = output.name + "_values";
  if (!output.integers.empty()) {
    Message tensor;
    for (const std::int64_t dimension : output.shape) {
      tensor.number(1, static_cast<std::uint64_t>(dimension));
    }
    std::string raw(count * sizeof(std::int64_t), '\0');
    std::memcpy(raw.data(), output.integers.data(), raw.size());
    graph.message(5, tensor.number(2, kInt64).bytes(8, constant).bytes(9, raw))
        .message(1, node("Identity", {constant}, output.name))
        .message(12, value_info(output.name, kInt64, output.shape));
    return;
  }
  std::vector<float> values = output.values;
  values.resize(count);
  graph.message(5, float_tensor(constant, output.shape, values));
  const std::string product = output.scales_with_sizes ? output.name + "_unit" : output.name;
  graph.message(1, node("Mul", {constant, "mean"}, product));
  if (output.scales_with_sizes) graph.message(1, node("Mul", {product, "box_sizes"}, output.name));
  std::vector<std::int64_t> declared = output.shape;
  if (has_batch) declared.front() = -1;
  graph.message(12, value_info(output.name, kFloat32, declared));
}

inline std::string model(const ModelSpec& spec) {
  Message graph;
  if (spec.has_batch) {
    graph.message(1, mean_over("images", "rows", {3}, 0))
        .message(1, mean_over("rows", "mean", {1, 2}, 1));
  } else {
    graph.message(1, mean_over("images", spec.is_constant ? "mean_of_it" : "mean", {}, 0));
  }
  if (spec.takes_sizes) {
    Message concat = node("Concat", {"orig_target_sizes", "orig_target_sizes"}, "twice");
    concat.message(5, Message().bytes(1, "axis").number(3, 1).number(20, 2));
    Message cast = node("Cast", {"twice"}, "box_sizes");
    cast.message(5, Message().bytes(1, "to").number(3, kFloat32).number(20, 2));
    graph.message(1, concat).message(1, cast);
  }
  graph.bytes(2, "tiny").message(11, value_info("images", kFloat32, spec.input_shape));
  if (spec.takes_sizes) graph.message(11, value_info("orig_target_sizes", kInt64, {1, 2}));
  if (spec.is_constant) {  // mean * 0 + 1
    graph.message(5, float_tensor("zero", {}, {0}))
        .message(5, float_tensor("one", {}, {1}))
        .message(1, node("Mul", {"mean_of_it", "zero"}, "nothing"))
        .message(1, node("Add", {"nothing", "one"}, "mean"));
  }
  for (const OutputSpec& output : spec.outputs) {
    add_output(graph, output, spec.has_batch);
  }
  Message whole;
  whole.number(1, 8).message(7, graph).message(8, Message().bytes(1, "").number(2, 13));
  for (const auto& [key, value] : spec.metadata) {
    whole.message(14, Message().bytes(1, key).bytes(2, value));
  }
  return whole.text();
}

}  // namespace andon::vision::tiny_onnx
