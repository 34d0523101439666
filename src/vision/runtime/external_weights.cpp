// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/external_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/protobuf_reader.hpp"
#include "vision/runtime/onnx_fields.hpp"
#include "vision/runtime/session.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using base::ProtobufReader;

constexpr std::size_t kMostFiles = 1024;
constexpr std::size_t kMostShown = 200;
constexpr int kMostLevels = 64;  // of graphs in graphs
constexpr std::size_t kMostBytes = std::numeric_limits<std::size_t>::max();

std::size_t product(std::size_t left, std::size_t right) {
  std::size_t result = 0;
  return __builtin_mul_overflow(left, right, &result) ? kMostBytes : result;
}
std::size_t sum(std::size_t left, std::size_t right) {
  std::size_t result = 0;
  return __builtin_add_overflow(left, right, &result) ? kMostBytes : result;
}

struct Tensor {
  std::string name;
  std::size_t elements = 1;
  int type = 0;
  bool is_external = false;
  std::string location;
  std::string offset = "0";
  std::string length;
};

class Search {
 public:
  std::vector<ExternalWeights> found;

  void in_model(std::string_view message) {
    ProtobufReader model(message);
    while (model.next()) {
      if (model.field() == onnx_field::model::kGraph) in_graph(model.bytes(), 0);
      if (model.field() == onnx_field::model::kFunctions) in_function(model.bytes());
    }
  }

 private:
  void in_function(std::string_view message) {
    ProtobufReader function(message);
    while (function.next()) {
      if (function.field() == onnx_field::function::kNode) in_node(function.bytes(), 0);
    }
  }

  void in_graph(std::string_view message, int level) {
    if (level > kMostLevels) {
      throw Error(ErrorCode::invalid_argument, "its graphs lie too deep in each other");
    }
    ProtobufReader graph(message);
    while (graph.next()) {
      if (graph.field() == onnx_field::graph::kNode) in_node(graph.bytes(), level);
      if (graph.field() == onnx_field::graph::kInitializer) in_tensor(graph.bytes());
      if (graph.field() == onnx_field::graph::kSparseInitializer) in_sparse_tensor(graph.bytes());
    }
  }

  void in_node(std::string_view message, int level) {
    ProtobufReader node(message);
    while (node.next()) {
      if (node.field() == onnx_field::node::kAttribute) in_attribute(node.bytes(), level);
    }
  }

  void in_attribute(std::string_view message, int level) {
    using namespace onnx_field::attribute;
    ProtobufReader attribute(message);
    while (attribute.next()) {
      switch (attribute.field()) {
        case kTensor:
        case kTensors:
          in_tensor(attribute.bytes());
          break;
        case kGraph:
        case kGraphs:
          in_graph(attribute.bytes(), level + 1);
          break;
        case kSparseTensor:
        case kSparseTensors:
          in_sparse_tensor(attribute.bytes());
          break;
        default:
          break;
      }
    }
  }

  void in_sparse_tensor(std::string_view message) {
    ProtobufReader tensor(message);
    while (tensor.next()) {
      if (tensor.field() == onnx_field::sparse::kValues ||
          tensor.field() == onnx_field::sparse::kIndices) {
        in_tensor(tensor.bytes());
      }
    }
  }

  void in_tensor(std::string_view message) {
    using namespace onnx_field::tensor;
    Tensor tensor;
    ProtobufReader reader(message);
    while (reader.next()) {
      switch (reader.field()) {
        case kDimensions:
          add_dimensions(reader, tensor);
          break;
        case kType:
          tensor.type = static_cast<int>(std::min<std::uint64_t>(reader.number(), 1000));
          break;
        case kName:
          tensor.name = reader.bytes().substr(0, kMostShown);
          break;
        case kExternalData:
          add_entry(reader.bytes(), tensor);
          break;
        case kLocation:
          tensor.is_external = reader.number() == kIsExternal;
          break;
        default:
          break;
      }
    }
    if (tensor.is_external) note(tensor);
  }

  // One by one, or packed.
  static void add_dimensions(const ProtobufReader& reader, Tensor& tensor) {
    if (reader.bytes().empty()) {
      tensor.elements = product(tensor.elements, reader.number());
      return;
    }
    ProtobufReader packed(reader.bytes());
    while (const auto dimension = packed.varint()) {
      tensor.elements = product(tensor.elements, *dimension);
    }
  }

  static void add_entry(std::string_view message, Tensor& tensor) {
    std::string_view key;
    std::string_view value;
    ProtobufReader entry(message);
    while (entry.next()) {
      if (entry.field() == onnx_field::entry::kKey) key = entry.bytes();
      if (entry.field() == onnx_field::entry::kValue) value = entry.bytes();
    }
    if (key == "location") tensor.location = value;
    if (key == "offset") tensor.offset = value;
    if (key == "length") tensor.length = value;
  }

  static std::size_t number_of(const Tensor& tensor, std::string_view member,
                               const std::string& text) {
    if (const auto value = base::parse_integer<std::size_t>(text)) return *value;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("external data of '{}': {} is '{}', not a number", tensor.name, member,
                            text.substr(0, 40)));
  }

  void note(const Tensor& tensor) {
    const auto relative = std::filesystem::path(tensor.location).lexically_normal();
    if (tensor.location.empty() || tensor.location.find('\0') != std::string::npos ||
        relative.is_absolute() || *relative.begin() == "..") {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("external data of '{}' points out of the model's folder: '{}'",
                              tensor.name, tensor.location.substr(0, kMostShown)));
    }
    std::size_t bytes = product(tensor.elements, element_bytes(tensor.type));
    if (!tensor.length.empty()) {
      bytes = std::max(bytes, number_of(tensor, "length", tensor.length));
    }
    bytes = sum(bytes, number_of(tensor, "offset", tensor.offset));
    const auto known = std::ranges::find(found, tensor.location, &ExternalWeights::location);
    if (known == found.end()) {
      if (found.size() == kMostFiles) {
        throw Error(
            ErrorCode::invalid_argument,
            fmt::format("its weights lie in more than {} files; save it as one", kMostFiles));
      }
      found.push_back({tensor.location, tensor.name, bytes});
    } else if (known->bytes < bytes) {
      *known = {tensor.location, tensor.name, bytes};
    }
  }
};

}  // namespace

std::vector<ExternalWeights> external_weights(std::string_view model) {
  Search search;
  search.in_model(model);
  return std::move(search.found);
}

}  // namespace andon::vision
