// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/own_convolutions.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/text/protobuf_reader.hpp"
#include "base/text/protobuf_writer.hpp"
#include "vision/operators/byte_convolution.hpp"
#include "vision/runtime/onnx_fields.hpp"

namespace andon::vision {
namespace {

using base::ProtobufReader;

// A field with its key, to be written as it was read.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;
  std::string_view bytes;
  std::string_view whole;
};

std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  ProtobufReader reader(message);
  std::string_view before = reader.rest();
  while (reader.next()) {
    const std::string_view whole = before.substr(0, before.size() - reader.rest().size());
    fields.push_back({reader.field(), reader.number(), reader.bytes(), whole});
    before = reader.rest();
  }
  return fields;
}

// False where its end is damaged.
bool is_whole(const std::vector<Field>& fields, std::string_view message) {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.whole.size();
  return bytes == message.size();
}

struct Node {
  std::string_view type;
  std::string_view domain;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<Field> attributes;
  std::string_view message;
};

Node node_of(std::string_view message) {
  Node node;
  node.message = message;
  const std::vector<Field> fields = fields_of(message);
  if (!is_whole(fields, message)) return node;
  for (const Field& field : fields) {
    if (field.number == onnx_field::node::kInput) node.inputs.push_back(field.bytes);
    if (field.number == onnx_field::node::kOutput) node.outputs.push_back(field.bytes);
    if (field.number == onnx_field::node::kType) node.type = field.bytes;
    if (field.number == onnx_field::node::kDomain) node.domain = field.bytes;
    if (field.number == onnx_field::node::kAttribute) node.attributes.push_back(field);
  }
  return node;
}

// Of a repeated field, which may be packed.
void add_integers(std::vector<std::int64_t>& to, const Field& field) {
  if (field.bytes.empty()) {
    to.push_back(static_cast<std::int64_t>(field.integer));
    return;
  }
  ProtobufReader packed(field.bytes);
  while (const auto value = packed.varint()) to.push_back(static_cast<std::int64_t>(*value));
}

struct Attribute {
  std::string_view name;
  std::int64_t integer = 0;
  std::vector<std::int64_t> integers;
  bool has_graph = false;
};

Attribute attribute_of(std::string_view message) {
  Attribute attribute;
  for (const Field& field : fields_of(message)) {
    if (field.number == onnx_field::attribute::kName) attribute.name = field.bytes;
    if (field.number == onnx_field::attribute::kInteger) {
      attribute.integer = static_cast<std::int64_t>(field.integer);
    }
    attribute.has_graph = attribute.has_graph || field.number == onnx_field::attribute::kGraph ||
                          field.number == onnx_field::attribute::kGraphs;
    if (field.number == onnx_field::attribute::kIntegers) add_integers(attribute.integers, field);
  }
  return attribute;
}

bool is_every(const std::vector<std::int64_t>& values, std::int64_t wanted) {
  return std::ranges::all_of(values, [&](std::int64_t value) { return value == wanted; });
}

// Has ConvU8 a form for it?
bool has_own_form(const Node& node, const std::set<std::string_view>& signed_bytes) {
  constexpr std::size_t kWeights = 3;
  if (node.type != "QLinearConv" || node.domain != "com.microsoft" || node.inputs.size() < 8 ||
      node.outputs.size() != 1 || !signed_bytes.contains(node.inputs[kWeights])) {
    return false;
  }
  bool is_channels_last = false;
  for (const Field& field : node.attributes) {
    const Attribute it = attribute_of(field.bytes);
    if (it.name == "channels_last") is_channels_last = it.integer == 1;
    const bool is_plain = it.name == "group" ? it.integer == 1
                          : it.name == "dilations"
                              ? is_every(it.integers, 1)
                              : it.name == "channels_last" || it.name == "kernel_shape" ||
                                    it.name == "strides" || it.name == "pads";
    if (!is_plain) return false;
  }
  return is_channels_last;
}

// A Conv that sees each pixel by itself, in one group.
bool is_of_one_pixel(const Node& node, const std::set<std::string_view>& floats_of_one_pixel) {
  if (node.type != "Conv" || !node.domain.empty() || node.inputs.size() < 2 ||
      node.outputs.size() != 1 || !floats_of_one_pixel.contains(node.inputs[1])) {
    return false;
  }
  return std::ranges::all_of(node.attributes, [](const Field& field) {
    const Attribute it = attribute_of(field.bytes);
    return it.name == "pads" ? is_every(it.integers, 0)
           : it.name == "group"
               ? it.integer == 1
               : (it.name == "kernel_shape" || it.name == "strides" || it.name == "dilations") &&
                     is_every(it.integers, 1);
  });
}

bool is_to_channels_first(const Node& node) {
  if (node.type != "Transpose" || !node.domain.empty() || node.inputs.size() != 1 ||
      node.outputs.size() != 1 || node.attributes.size() != 1) {
    return false;
  }
  const Attribute it = attribute_of(node.attributes.front().bytes);
  return it.name == "perm" && it.integers == std::vector<std::int64_t>{0, 3, 1, 2};
}

class Rewriting {
 public:
  explicit Rewriting(std::string_view graph) : fields_(fields_of(graph)) {
    if (!is_whole(fields_, graph)) return;
    for (const Field& field : fields_) {
      if (field.number == onnx_field::graph::kNode) read(node_of(field.bytes));
      if (field.number == onnx_field::graph::kInitializer) read_initializer(field.bytes);
      if (field.number == onnx_field::graph::kOutput) read_output(field.bytes);
    }
  }

  // Empty where nothing changes.
  std::string run() {
    std::string graph;
    choose();
    if (replaced_.empty()) return graph;
    std::size_t place = 0;
    for (const Field& field : fields_) {
      if (field.number != onnx_field::graph::kNode) {
        graph += field.whole;
        continue;
      }
      const std::size_t index = place++;
      if (within_.contains(index)) continue;
      const auto replaced = replaced_.find(index);
      if (replaced == replaced_.end()) {
        graph += field.whole;
      } else {
        base::add_protobuf_bytes(graph, onnx_field::graph::kNode, replaced->second);
      }
    }
    return graph;
  }

 private:
  void read(Node node) {
    for (const std::string_view input : node.inputs) ++uses_[input];
    for (const Field& field : node.attributes) {
      has_subgraphs_ = has_subgraphs_ || attribute_of(field.bytes).has_graph;
    }
    const bool is_table = node.type == "LutU8" && node.domain == "andon" &&
                          node.inputs.size() == 1 && node.outputs.size() == 1;
    for (const std::string_view output : node.outputs) makers_[output] = nodes_.size();
    if (is_table) tables_[node.inputs.front()] = nodes_.size();
    nodes_.push_back(std::move(node));
  }

  void read_initializer(std::string_view message) {
    std::string_view name;
    std::uint64_t type = 0;
    std::vector<std::int64_t> shape;
    for (const Field& field : fields_of(message)) {
      if (field.number == onnx_field::tensor::kName) name = field.bytes;
      if (field.number == onnx_field::tensor::kType) type = field.integer;
      if (field.number == onnx_field::tensor::kDimensions) add_integers(shape, field);
    }
    if (type == onnx_field::tensor::kInt8) signed_bytes_.insert(name);
    const bool is_of_one_pixel = shape.size() == 4 && shape[2] == 1 && shape[3] == 1;
    if (type == onnx_field::tensor::kFloat32 && is_of_one_pixel) floats_of_one_pixel_.insert(name);
  }

  void read_output(std::string_view message) {
    for (const Field& field : fields_of(message)) {
      if (field.number == onnx_field::value_info::kName) ++uses_[field.bytes];
    }
  }

  void choose() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (has_own_form(nodes_[i], signed_bytes_)) {
        replaced_[i] = in_bytes(nodes_[i]);
      } else if (is_of_one_pixel(nodes_[i], floats_of_one_pixel_)) {
        write_in_float(i);
      }
    }
  }

  // Nobody else reads what is between two nodes; what a subgraph reads is not counted.
  [[nodiscard]] bool is_read_once(std::string_view tensor) const {
    return !has_subgraphs_ && uses_.at(tensor) == 1;
  }

  [[nodiscard]] std::string in_bytes(const Node& node) {
    const std::string_view output = node.outputs.front();
    const auto table = tables_.find(output);
    const bool has_table = table != tables_.end() && is_read_once(output);
    std::string message;
    for (const Field& field : fields_of(node.message)) {
      if (field.number == onnx_field::node::kType || field.number == onnx_field::node::kDomain)
        continue;
      if (field.number == onnx_field::node::kOutput && has_table) continue;
      message += field.whole;
    }
    base::add_protobuf_bytes(message, onnx_field::node::kType, "ConvU8");
    base::add_protobuf_bytes(message, onnx_field::node::kDomain, "andon");
    if (!has_table) return message;
    const Node& behind = nodes_[table->second];
    base::add_protobuf_bytes(message, onnx_field::node::kOutput, behind.outputs.front());
    for (const Field& field : behind.attributes) message += field.whole;
    within_.insert(table->second);
    return message;
  }

  // The node that makes a tensor which one node reads.
  [[nodiscard]] std::optional<std::size_t> only_for_one(std::string_view tensor) const {
    const auto maker = makers_.find(tensor);
    if (maker == makers_.end() || !is_read_once(tensor)) return std::nullopt;
    return maker->second;
  }

  // Transpose, DequantizeLinear and Conv as one.
  void write_in_float(std::size_t place) {
    const Node& node = nodes_[place];
    const auto reader = only_for_one(node.inputs.front());
    if (!reader) return;
    const Node& floats = nodes_[*reader];
    if (floats.type != "DequantizeLinear" || !floats.domain.empty() || floats.inputs.size() != 3 ||
        !floats.attributes.empty()) {
      return;
    }
    const auto moved = only_for_one(floats.inputs.front());
    if (!moved || !is_to_channels_first(nodes_[*moved])) return;
    std::string message;
    for (const std::string_view input :
         {nodes_[*moved].inputs.front(), floats.inputs[1], floats.inputs[2]}) {
      base::add_protobuf_bytes(message, onnx_field::node::kInput, input);
    }
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      base::add_protobuf_bytes(message, onnx_field::node::kInput, node.inputs[i]);
    }
    base::add_protobuf_bytes(message, onnx_field::node::kOutput, node.outputs.front());
    base::add_protobuf_bytes(message, onnx_field::node::kType, "ConvF32");
    base::add_protobuf_bytes(message, onnx_field::node::kDomain, "andon");
    replaced_[place] = std::move(message);
    within_.insert({*reader, *moved});
  }

  std::vector<Field> fields_;
  std::vector<Node> nodes_;
  std::map<std::string_view, std::size_t> uses_;
  std::map<std::string_view, std::size_t> tables_;  // LutU8 by what it reads
  std::set<std::string_view> signed_bytes_;         // initialisers
  bool has_subgraphs_ = false;
  std::set<std::string_view> floats_of_one_pixel_;
  std::map<std::string_view, std::size_t> makers_;
  std::map<std::size_t, std::string> replaced_;
  std::set<std::size_t> within_;  // what is part of another node now
};

}  // namespace

std::optional<std::string> with_own_convolutions(std::string_view device_graph) {
  std::string model;
  bool has_changed = false;
  const std::vector<Field> fields = fields_of(device_graph);
  if (!is_whole(fields, device_graph)) return std::nullopt;
  for (const Field& field : fields) {
    if (field.number != onnx_field::model::kGraph) {
      model += field.whole;
      continue;
    }
    const std::string graph = Rewriting(field.bytes).run();
    if (graph.empty()) {
      model += field.whole;
      continue;
    }
    base::add_protobuf_bytes(model, onnx_field::model::kGraph, graph);
    has_changed = true;
  }
  if (!has_changed) return std::nullopt;
  return model;
}

std::optional<std::string> as_this_processor_runs(std::string_view device_graph) {
  return fast_convolution() == nullptr ? std::nullopt : with_own_convolutions(device_graph);
}

}  // namespace andon::vision
