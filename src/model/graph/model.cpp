// SPDX-License-Identifier: Apache-2.0
#include "model/graph/model.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

std::size_t number_of(const onnx::StringStringEntryProto& entry, const std::string& tensor) {
  const std::string& text = entry.value();
  const auto value = base::parse_integer<std::size_t>(text);
  if (!value) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("external data of '{}': {} is '{}', not a number", tensor, entry.key(),
                            text.substr(0, 40)));
  }
  return *value;
}

class ExternalData {
 public:
  explicit ExternalData(std::span<const vision::WeightsFile> files) : files_(files) {}

  void bring_in(onnx::TensorProto& tensor) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
    std::string location;
    std::size_t offset = 0;
    std::optional<std::size_t> length;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = number_of(entry, tensor.name());
      if (entry.key() == "length") length = number_of(entry, tensor.name());
    }
    const auto file = std::ranges::find(files_, location, &vision::WeightsFile::location);
    if (file == files_.end()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("its weights lie in another file ('{}'), which was not given; save "
                              "it as one file",
                              location.substr(0, 200)));
    }
    const std::string& content = file->bytes;
    const std::size_t wanted = bytes_of(tensor);
    if (offset > content.size() || wanted > content.size() - offset ||
        length.value_or(wanted) != wanted) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("external data of '{}': '{}' has {} bytes, {} are needed from {} on",
                              tensor.name(), location, content.size(), wanted, offset));
    }
    total_ += wanted;
    if (total_ > vision::kMaxModelBytes) {
      throw Error(ErrorCode::unsupported, "with its external data it is larger than 2 GB");
    }
    tensor.set_raw_data(content.data() + offset, wanted);
    tensor.clear_external_data();
    tensor.set_data_location(onnx::TensorProto::DEFAULT);
  }

 private:
  std::span<const vision::WeightsFile> files_;
  std::size_t total_ = 0;
};

void bring_in_all(onnx::GraphProto& graph, ExternalData& data) {
  for (auto& tensor : *graph.mutable_initializer()) data.bring_in(tensor);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) data.bring_in(*attribute.mutable_t());
      if (attribute.has_g()) bring_in_all(*attribute.mutable_g(), data);
      for (auto& nested : *attribute.mutable_graphs()) bring_in_all(nested, data);
    }
  }
}

void check_tensors(const onnx::GraphProto& graph) {
  for (const auto& tensor : graph.initializer()) {
    static_cast<void>(element_count(tensor));
    if (tensor.data_type() == onnx::TensorProto::FLOAT) {
      const std::size_t present = tensor.has_raw_data()
                                      ? tensor.raw_data().size() / sizeof(float)
                                      : static_cast<std::size_t>(tensor.float_data_size());
      if (present != element_count(tensor)) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("tensor '{}' has {} values where its dimensions ask for {}",
                                tensor.name(), present, element_count(tensor)));
      }
    }
  }
}

// What the passes rely on: every node makes something, and these have the inputs that they need.
void check_nodes(const onnx::GraphProto& graph) {
  static const std::map<std::string, int> inputs_of_operator{{"Add", 2},
                                                             {"AveragePool", 1},
                                                             {"BatchNormalization", 5},
                                                             {"Clip", 1},
                                                             {"Concat", 1},
                                                             {"Conv", 2},
                                                             {"Dropout", 1},
                                                             {"Flatten", 1},
                                                             {"Hardmax", 1},
                                                             {"Identity", 1},
                                                             {"GlobalAveragePool", 1},
                                                             {"LeakyRelu", 1},
                                                             {"LogSoftmax", 1},
                                                             {"MaxPool", 1},
                                                             {"Mul", 2},
                                                             {"ReduceSum", 1},
                                                             {"Relu", 1},
                                                             {"Reshape", 2},
                                                             {"Resize", 1},
                                                             {"Shape", 1},
                                                             {"Sigmoid", 1},
                                                             {"Slice", 1},
                                                             {"Softmax", 1},
                                                             {"Split", 1},
                                                             {"Squeeze", 1},
                                                             {"Transpose", 1},
                                                             {"Unsqueeze", 1}};
  for (const auto& node : graph.node()) {
    if (node.output_size() == 0) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{} makes nothing", name_of(node)));
    }
    const auto needs = inputs_of_operator.find(node.op_type());
    if (needs == inputs_of_operator.end() || !is_onnx_operator(node, node.op_type())) continue;
    for (int i = 0; i < needs->second; ++i) {
      if (i >= node.input_size() || node.input(i).empty() || node.output(0).empty()) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("{} ({}) lacks an input or output", name_of(node), node.op_type()));
      }
    }
  }
}

// Old files list initialisers among the inputs too, as defaults that a caller may replace. Here
// they are constants.
void drop_default_inputs(onnx::GraphProto& graph) {
  std::set<std::string> initialisers;
  for (const auto& tensor : graph.initializer()) initialisers.insert(tensor.name());
  auto& inputs = *graph.mutable_input();
  for (int i = inputs.size() - 1; i >= 0; --i) {
    if (initialisers.contains(inputs[i].name())) inputs.DeleteSubrange(i, 1);
  }
}

bool parse_message(std::string_view bytes, onnx::ModelProto& proto) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(static_cast<int>(vision::kMaxModelBytes));
  coded.SetRecursionLimit(64);
  return proto.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

}  // namespace

Model::Model() : proto_(std::make_unique<onnx::ModelProto>()) {}
Model::Model(const Model& other)
    : name_(other.name_),
      digest_(other.digest_),
      file_bytes_(other.file_bytes_),
      proto_(std::make_unique<onnx::ModelProto>(*other.proto_)) {}
Model& Model::operator=(const Model& other) {
  if (this != &other) *this = Model(other);
  return *this;
}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::parse(std::string_view bytes, std::string_view name) {
  return parse(vision::model_in_memory(std::string(bytes), std::string(name)));
}

Model Model::parse(const vision::ModelFile& file) {
  const std::string& bytes = file.bytes;
  const std::string& name = file.name;
  Model model;
  model.name_ = name;
  if (bytes.empty()) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} is empty, not an ONNX model", name));
  }
  if (bytes.size() > vision::kMaxModelBytes) {
    throw Error(ErrorCode::unsupported, fmt::format("{} is larger than 2 GB", name));
  }
  if (!parse_message(bytes, *model.proto_)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is not an ONNX model, or a part of it is missing", name));
  }
  if (!model.proto_->has_graph() || model.graph().node_size() == 0 ||
      model.graph().output_size() == 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is not an ONNX model: it has no graph with outputs", name));
  }
  try {
    ExternalData external(file.weights);
    bring_in_all(model.graph(), external);
    check_nodes(model.graph());
    check_tensors(model.graph());
    drop_default_inputs(model.graph());
    model.file_bytes_ = file.total_bytes();
    if (model.opset() < kOldestOpset) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("its opset {} is older than {}; export it again with a newer one",
                              model.opset(), kOldestOpset));
    }
    sort_topologically(model.graph());
  } catch (Error& error) {
    throw error.with_context(name);
  }
  model.digest_ = "sha256:" + file.sha256;
  return model;
}

const onnx::GraphProto& Model::graph() const {
  return proto_->graph();
}
onnx::GraphProto& Model::graph() {
  return *proto_->mutable_graph();
}

int Model::opset() const {
  for (const auto& set : proto_->opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") {
      return static_cast<int>(std::clamp<std::int64_t>(set.version(), 0, 10'000));
    }
  }
  return 1;
}

void Model::set_opset(int version) {
  for (auto& set : *proto_->mutable_opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") {
      set.set_version(version);
      return;
    }
  }
  proto_->add_opset_import()->set_version(version);
}

std::map<std::string, std::string> Model::metadata() const {
  std::map<std::string, std::string> result;
  for (const auto& entry : proto_->metadata_props()) result[entry.key()] = entry.value();
  return result;
}

void Model::set_metadata(const std::string& key, const std::string& value) {
  for (auto& entry : *proto_->mutable_metadata_props()) {
    if (entry.key() == key) {
      entry.set_value(value);
      return;
    }
  }
  auto& entry = *proto_->add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

std::string Model::serialise() const {
  if (proto_->ByteSizeLong() > vision::kMaxModelBytes) {
    throw Error(ErrorCode::unsupported, fmt::format("{} becomes larger than 2 GB", name_));
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    proto_->SerializeWithCachedSizes(&coded);
  }
  return bytes;
}

}  // namespace andon::model
