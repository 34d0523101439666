// SPDX-License-Identifier: Apache-2.0
// The protobuf messages of ONNX and small ways to read and make them. Heavy: for .cpp files of
// model/ only. Functions that read throw invalid_argument for what a file has wrong. Pure.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace andon::model {

using Shape = std::vector<std::int64_t>;

// Of attributes.
[[nodiscard]] const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node,
                                                         std::string_view name);
[[nodiscard]] std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name,
                                             std::int64_t otherwise);
[[nodiscard]] std::vector<std::int64_t> integers_attribute(const onnx::NodeProto& node,
                                                           std::string_view name);
[[nodiscard]] float float_attribute(const onnx::NodeProto& node, std::string_view name,
                                    float otherwise);
[[nodiscard]] std::string text_attribute(const onnx::NodeProto& node, std::string_view name,
                                         std::string_view otherwise);
void set_integer_attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value);
void set_integers_attribute(onnx::NodeProto& node, const std::string& name, const Shape& values);
void remove_attribute(onnx::NodeProto& node, std::string_view name);
// Has it attributes that are graphs (If, Loop, Scan and their like)?
[[nodiscard]] bool has_subgraphs(const onnx::NodeProto& node);
[[nodiscard]] bool is_onnx_operator(const onnx::NodeProto& node, std::string_view type);

// Of tensors. Empty dimensions: a scalar, one element.
[[nodiscard]] Shape shape_of(const onnx::TensorProto& tensor);
[[nodiscard]] std::size_t element_count(const Shape& shape);
[[nodiscard]] std::size_t element_count(const onnx::TensorProto& tensor);
[[nodiscard]] std::vector<float> floats_of(const onnx::TensorProto& tensor);  // of FLOAT only
[[nodiscard]] std::vector<std::int64_t> integers_of(
    const onnx::TensorProto& tensor);  // INT64, INT32
[[nodiscard]] onnx::TensorProto make_tensor(std::string name, int element_type, const Shape& shape,
                                            std::span<const std::byte> bytes);
[[nodiscard]] onnx::TensorProto make_floats(std::string name, const Shape& shape,
                                            std::span<const float> values);
[[nodiscard]] onnx::TensorProto make_integers(std::string name,
                                              std::span<const std::int64_t> values);
// Bytes that the tensor's values take.
[[nodiscard]] std::size_t bytes_of(const onnx::TensorProto& tensor);

[[nodiscard]] onnx::NodeProto make_node(std::string_view type, std::string name,
                                        std::vector<std::string> inputs,
                                        std::vector<std::string> outputs);

// What a message calls a node: its name, or "Conv that makes x".
[[nodiscard]] std::string name_of(const onnx::NodeProto& node);

}  // namespace andon::model
