// SPDX-License-Identifier: Apache-2.0
#include "model/optimise/embed.hpp"

#include <fmt/format.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "model/graph/onnx.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/device_graph.hpp"

namespace andon::model {
namespace {

// Less than this is not worth the words that say where it is.
constexpr std::size_t kLeastShared = 128;

void add_entry(onnx::TensorProto& tensor, const std::string& key, const std::string& value) {
  auto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

// Whatever values lie in the file already are read from there.
void share_weights(onnx::GraphProto& graph, const std::string& file) {
  std::size_t next = 0;
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
    const std::string& values = tensor.raw_data();
    if (values.size() < kLeastShared) continue;
    // Mostly they are in the same order.
    std::size_t place = file.find(values, next);
    if (place == std::string::npos) place = file.find(values);
    if (place == std::string::npos) continue;
    next = place + values.size();
    add_entry(tensor, "location", std::string(vision::kDeviceGraphWeights));
    add_entry(tensor, "offset", fmt::format("{}", place));
    add_entry(tensor, "length", fmt::format("{}", values.size()));
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    tensor.clear_raw_data();
  }
}

}  // namespace

void remove_device_graph(Model& model) {
  auto& entries = *model.proto().mutable_metadata_props();
  for (int i = entries.size() - 1; i >= 0; --i) {
    const std::string& key = entries[i].key();
    if (key == vision::kDeviceGraphKey || key == vision::kDeviceGraphOfKey) {
      entries.DeleteSubrange(i, 1);
    }
  }
}

std::optional<Model> device_graph_of(const vision::ModelFile& file) {
  if (file.device_graph.empty()) return std::nullopt;
  vision::ModelFile device = vision::model_in_memory(file.device_graph, file.name);
  device.weights.push_back({std::string(vision::kDeviceGraphWeights), {}, file.bytes});
  return Model::parse(device);
}

std::string with_device_graph(Model plain, Model device_graph) {
  remove_device_graph(plain);
  remove_device_graph(device_graph);
  const std::string before = plain.serialise();
  share_weights(device_graph.graph(), before);
  plain.set_metadata(std::string(vision::kDeviceGraphKey),
                     base::to_base64(device_graph.serialise()));
  plain.set_metadata(std::string(vision::kDeviceGraphOfKey),
                     trust::sha256_hex(vision::graph_field(before)));
  std::string after = plain.serialise();
  // Metadata stand behind the graph: what lies in it has not moved.
  if (vision::graph_field(after).data() - after.data() !=
          vision::graph_field(before).data() - before.data() ||
      !vision::find_device_graph(after)) {
    throw base::Error(base::ErrorCode::internal,
                      fmt::format("{}: its device graph does not fit it", plain.name()));
  }
  return after;
}

}  // namespace andon::model
