// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/device_graph.hpp"

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/protobuf_reader.hpp"
#include "trust/digests/digest.hpp"
#include "vision/runtime/external_weights.hpp"
#include "vision/runtime/onnx_fields.hpp"

namespace andon::vision {
namespace {

using base::ProtobufReader;

constexpr std::size_t kMostText = std::size_t{64} << 20U;

struct Parts {
  std::string_view graph;
  std::string_view device_graph;
  std::string_view of;
};

Parts parts_of(std::string_view model) {
  Parts parts;
  std::size_t graphs = 0;
  ProtobufReader reader(model);
  while (reader.next()) {
    if (reader.field() == onnx_field::model::kGraph) {
      parts.graph = reader.bytes();
      ++graphs;
    }
    if (reader.field() != onnx_field::model::kMetadata) continue;
    std::string_view key;
    std::string_view value;
    ProtobufReader entry(reader.bytes());
    while (entry.next()) {
      if (entry.field() == onnx_field::entry::kKey) key = entry.bytes();
      if (entry.field() == onnx_field::entry::kValue) value = entry.bytes();
    }
    if (key == kDeviceGraphKey) parts.device_graph = value;
    if (key == kDeviceGraphOfKey) parts.of = value;
  }
  if (graphs != 1) parts.graph = {};
  return parts;
}

// All its weights are its own, or lie within the model.
bool fits(std::string_view device_graph, std::string_view model) {
  try {
    for (const ExternalWeights& it : external_weights(device_graph)) {
      if (it.location != kDeviceGraphWeights || it.bytes > model.size()) return false;
    }
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

}  // namespace

std::string_view graph_field(std::string_view model) {
  return parts_of(model).graph;
}

std::optional<std::string> find_device_graph(std::string_view model) {
  const Parts parts = parts_of(model);
  if (parts.device_graph.empty() || parts.device_graph.size() > kMostText || parts.graph.empty() ||
      trust::sha256_hex(parts.graph) != parts.of) {
    return std::nullopt;
  }
  auto graph = base::from_base64(parts.device_graph);
  if (!graph || graph->empty() || !fits(*graph, model)) return std::nullopt;
  return graph;
}

}  // namespace andon::vision
