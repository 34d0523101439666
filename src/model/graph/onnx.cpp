// SPDX-License-Identifier: Apache-2.0
#include "model/graph/onnx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error/error.hpp"
#include "vision/runtime/session.hpp"

namespace andon::model {

using base::Error;
using base::ErrorCode;

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name,
                               std::int64_t otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->i();
}

std::vector<std::int64_t> integers_attribute(const onnx::NodeProto& node, std::string_view name) {
  const auto* attribute = find_attribute(node, name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

float float_attribute(const onnx::NodeProto& node, std::string_view name, float otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->f();
}

std::string text_attribute(const onnx::NodeProto& node, std::string_view name,
                           std::string_view otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? std::string(otherwise) : attribute->s();
}

void set_integer_attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  remove_attribute(node, name);
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_integers_attribute(onnx::NodeProto& node, const std::string& name, const Shape& values) {
  remove_attribute(node, name);
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void remove_attribute(onnx::NodeProto& node, std::string_view name) {
  auto& attributes = *node.mutable_attribute();
  for (int i = attributes.size() - 1; i >= 0; --i) {
    if (attributes[i].name() == name) attributes.DeleteSubrange(i, 1);
  }
}

bool has_subgraphs(const onnx::NodeProto& node) {
  return std::ranges::any_of(node.attribute(), [](const onnx::AttributeProto& attribute) {
    return attribute.has_g() || attribute.graphs_size() > 0;
  });
}

bool is_onnx_operator(const onnx::NodeProto& node, std::string_view type) {
  return node.op_type() == type && (node.domain().empty() || node.domain() == "ai.onnx");
}

Shape shape_of(const onnx::TensorProto& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 ||
        __builtin_mul_overflow(count, static_cast<std::size_t>(dimension), &count)) {
      throw Error(ErrorCode::invalid_argument, "a tensor has impossible dimensions");
    }
  }
  return count;
}

std::size_t element_count(const onnx::TensorProto& tensor) {
  return element_count(shape_of(tensor));
}

namespace {

// The values as they lie in raw_data or in one of the typed fields.
template <typename Value, typename Field>
std::vector<Value> values_of(const onnx::TensorProto& tensor, const Field& field) {
  const std::size_t count = element_count(tensor);
  std::vector<Value> values;
  const bool is_raw = tensor.has_raw_data();
  const std::size_t present =
      is_raw ? tensor.raw_data().size() / sizeof(Value) : static_cast<std::size_t>(field.size());
  if (present != count || (is_raw && tensor.raw_data().size() % sizeof(Value) != 0)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("tensor '{}' has {} values where its dimensions ask for {}",
                            tensor.name(), present, count));
  }
  values.resize(count);
  if (is_raw) {
    if (count > 0) std::memcpy(values.data(), tensor.raw_data().data(), count * sizeof(Value));
  } else {
    std::copy(field.begin(), field.end(), values.begin());
  }
  return values;
}

[[noreturn]] void refuse_type(const onnx::TensorProto& tensor, std::string_view wanted) {
  throw Error(ErrorCode::invalid_argument, fmt::format("tensor '{}' has element type {}, not {}",
                                                       tensor.name(), tensor.data_type(), wanted));
}

}  // namespace

std::vector<float> floats_of(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT) refuse_type(tensor, "float32");
  return values_of<float>(tensor, tensor.float_data());
}

std::vector<std::int64_t> integers_of(const onnx::TensorProto& tensor) {
  if (tensor.data_type() == onnx::TensorProto::INT64) {
    return values_of<std::int64_t>(tensor, tensor.int64_data());
  }
  if (tensor.data_type() != onnx::TensorProto::INT32) refuse_type(tensor, "int64 or int32");
  const auto values = values_of<std::int32_t>(tensor, tensor.int32_data());
  return {values.begin(), values.end()};
}

onnx::TensorProto make_tensor(std::string name, int element_type, const Shape& shape,
                              std::span<const std::byte> bytes) {
  onnx::TensorProto tensor;
  tensor.set_name(std::move(name));
  tensor.set_data_type(element_type);
  for (const std::int64_t dimension : shape) tensor.add_dims(dimension);
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor;
}

onnx::TensorProto make_floats(std::string name, const Shape& shape, std::span<const float> values) {
  return make_tensor(std::move(name), onnx::TensorProto::FLOAT, shape, std::as_bytes(values));
}

onnx::TensorProto make_integers(std::string name, std::span<const std::int64_t> values) {
  return make_tensor(std::move(name), onnx::TensorProto::INT64,
                     {static_cast<std::int64_t>(values.size())}, std::as_bytes(values));
}

std::size_t bytes_of(const onnx::TensorProto& tensor) {
  return element_count(tensor) * vision::element_bytes(tensor.data_type());
}

onnx::NodeProto make_node(std::string_view type, std::string name, std::vector<std::string> inputs,
                          std::vector<std::string> outputs) {
  onnx::NodeProto node;
  node.set_op_type(std::string(type));
  node.set_name(std::move(name));
  for (std::string& input : inputs) node.add_input(std::move(input));
  for (std::string& output : outputs) node.add_output(std::move(output));
  return node;
}

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return fmt::format("{} that makes {}", node.op_type(),
                     node.output_size() > 0 ? node.output(0) : "nothing");
}

}  // namespace andon::model
