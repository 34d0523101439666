// SPDX-License-Identifier: Apache-2.0
#include "model/optimise/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/file.hpp"
#include "model/graph/cleanup.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"
#include "model/optimise/embed.hpp"
#include "model/quantise/head.hpp"
#include "vision/detect/detector.hpp"
#include "vision/detect/device_graph.hpp"
#include "vision/detect/own_convolutions.hpp"

namespace andon::model {
namespace {

namespace json = base::json;

using Facts = std::map<std::string, TensorFacts>;

std::optional<Shape> find_shape(const Facts& facts, const GraphIndex& index,
                                const std::string& tensor) {
  if (const auto* constant = index.initialiser(tensor)) return shape_of(*constant);
  const auto found = facts.find(tensor);
  if (found == facts.end()) return std::nullopt;
  return found->second.shape;
}

// Multiplications and additions of one node; 0 for what is neither convolution nor product.
double operations_of(const onnx::NodeProto& node, const Facts& facts, const GraphIndex& index) {
  const std::string& type = node.op_type();
  const bool is_integer = type == "QLinearConv" || type == "QLinearMatMul";
  const int weights_at = is_integer ? 3 : 1;
  if (node.input_size() <= weights_at) return 0;
  const auto weights = find_shape(facts, index, node.input(weights_at));
  const auto output = find_shape(facts, index, node.output(0));
  if (!weights || !output) return 0;
  const auto made = static_cast<double>(element_count(*output));
  if (type == "Conv" || type == "QLinearConv" || type == "ConvInteger") {
    if (weights->empty() || weights->front() == 0) return 0;
    return 2 * made * static_cast<double>(element_count(*weights)) /
           static_cast<double>(weights->front());
  }
  if (type == "ConvTranspose") {
    const auto input = find_shape(facts, index, node.input(0));
    if (!input || weights->empty() || weights->front() == 0) return 0;
    return 2 * static_cast<double>(element_count(*input)) *
           static_cast<double>(element_count(*weights)) / static_cast<double>(weights->front());
  }
  if (type == "Gemm" && weights->size() == 2) {
    const bool is_turned = integer_attribute(node, "transB", 0) != 0;
    return 2 * made * static_cast<double>(weights->at(is_turned ? 1 : 0));
  }
  if ((type == "MatMul" || type == "QLinearMatMul") && weights->size() >= 2) {
    return 2 * made * static_cast<double>(weights->at(weights->size() - 2));
  }
  return 0;
}

// Each tensor lives from the node that makes it to the last that reads it.
std::size_t largest_alive(const onnx::GraphProto& graph, const Facts& facts,
                          const GraphIndex& index) {
  const auto bytes = [&](const std::string& tensor) -> std::size_t {
    const auto found = facts.find(tensor);
    if (found == facts.end()) return 0;
    return element_count(found->second.shape) * vision::element_bytes(found->second.element_type);
  };
  std::size_t alive = 0;
  std::size_t most = 0;
  std::map<int, std::size_t> freed_after;
  for (int place = 0; place < graph.node_size(); ++place) {
    for (const auto& output : graph.node(place).output()) {
      const std::size_t size = bytes(output);
      alive += size;
      if (index.is_output(output)) continue;
      const auto& readers = index.consumers(output);
      freed_after[readers.empty() ? place : readers.back()] += size;
    }
    most = std::max(most, alive);
    alive -= freed_after[place];
  }
  return most;
}

// Reads ONNX Runtime's trace: nodes inside the last `runs` runs.
std::vector<OperatorTime> read_profile(const base::fs::path& folder, std::size_t runs) {
  json::array events;
  for (const auto& entry : base::fs::directory_iterator(folder)) {
    base::JsonLimits limits;
    limits.max_bytes = 256U << 20U;
    const std::string text = base::read_file(entry.path(), limits.max_bytes);
    const json::value parsed = base::parse_json(text, "profile", limits);
    if (parsed.is_array()) events = parsed.get_array();
  }
  struct Event {
    double start = 0;
    double duration = 0;
    std::string operation;
    std::string name;
  };
  std::vector<Event> nodes;
  std::vector<Event> whole;
  for (const json::value& value : events) {
    const base::JsonReader event(value, "profile");
    const std::string name = event.optional_string("name").value_or("");
    const double start = event.optional_number("ts").value_or(0);
    const double duration = event.optional_number("dur").value_or(0);
    if (name == "model_run") whole.push_back({start, duration, {}, {}});
    if (!name.ends_with("_kernel_time") || event.optional_object("args") == nullptr) continue;
    const auto operation = event.child("args").optional_string("op_name");
    if (operation) nodes.push_back({start, duration, *operation, name});
  }
  std::ranges::sort(whole, {}, &Event::start);
  if (whole.size() > runs) whole.erase(whole.begin(), whole.end() - static_cast<long>(runs));
  std::map<std::string, OperatorTime> times;
  for (const Event& run : whole) {
    for (const Event& node : nodes) {
      if (node.start < run.start || node.start > run.start + run.duration) continue;
      OperatorTime& time = times[node.operation];
      time.operation = node.operation;
      time.ms += node.duration / 1000.0 / static_cast<double>(whole.size());
      if (&run == &whole.front()) ++time.nodes;
    }
  }
  std::vector<OperatorTime> result;
  for (auto& [operation, time] : times) result.push_back(std::move(time));
  std::ranges::stable_sort(
      result, [](const OperatorTime& a, const OperatorTime& b) { return a.ms > b.ms; });
  return result;
}

Model as_devices_run(const Model& device_graph) {
  const auto own = vision::as_this_processor_runs(device_graph.serialise());
  return own ? Model::parse(*own, device_graph.name()) : device_graph;
}

void measure(const vision::OnnxRuntime& runtime, const Model& model,
             const InspectionOptions& options, Inspection& result) {
  const base::TemporaryDirectory folder;
  vision::SessionOptions session;
  session.threads = options.threads;
  session.profile_prefix = folder.path() / "profile";
  {
    Execution execution(runtime, model, output_names(model), inputs_of(model, options.input_size),
                        session);
    for (std::size_t i = 0; i < options.runs + 2; ++i) {
      static_cast<void>(execution.run_random(0));
    }
  }
  result.times = read_profile(folder.path(), options.runs);
  for (const OperatorTime& time : result.times) result.total_ms += time.ms;
}

std::string describe_head(const vision::OnnxRuntime& runtime, const Model& model,
                          const InspectionOptions& options) {
  const auto metadata = model.metadata();
  const auto stated = metadata.find("andon_head");
  if (stated != metadata.end()) return stated->second + ", cut off";
  // Constants may hide the parts of a head from who looks for them.
  Model folded = model;
  static_cast<void>(fold_constants(runtime, folded, options.input_size));
  const HeadSearch search = find_head(runtime, folded, options.input_size);
  if (!search.head) return "not recognised: " + search.reason;
  std::string strides;
  for (const HeadLevel& level : search.head->levels) strides += fmt::format(" {}", level.stride);
  return fmt::format("yolov8_dfl, strides{}, {} class{}", strides, search.head->classes,
                     search.head->classes == 1 ? "" : "es");
}

// What a device would say of it.
void describe_reading(const vision::OnnxRuntime& runtime, const vision::ModelFile& file,
                      const InspectionOptions& options, Inspection& result) {
  try {
    const vision::Detector detector(runtime, file, {.input_size = options.input_size});
    result.read_as = vision::to_string(detector.description().head);
    result.why = detector.description().why;
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::invalid_argument) throw;
    const std::string& message = error.message();
    result.why = message.substr(0, message.find(". Found:"));
  }
}

}  // namespace

Inspection inspect(const vision::OnnxRuntime& runtime, const vision::ModelFile& file,
                   const InspectionOptions& options) {
  const Model model = Model::parse(file);
  const auto& graph = model.graph();
  Inspection result;
  result.name = model.name();
  result.digest = model.digest();
  result.bytes = model.file_bytes();
  result.producer = model.proto().producer_name();
  if (!model.proto().producer_version().empty()) {
    result.producer += " " + model.proto().producer_version();
  }
  result.ir_version = static_cast<int>(model.proto().ir_version());
  for (const auto& set : model.proto().opset_import()) {
    result.opsets[set.domain().empty() ? "ai.onnx" : set.domain()] = set.version();
  }
  result.metadata = model.metadata();
  const auto device_graph = result.metadata.find(std::string(vision::kDeviceGraphKey));
  if (device_graph != result.metadata.end()) {
    device_graph->second = fmt::format("{} bytes in base64", device_graph->second.size());
  }
  {
    const vision::Session session(runtime, model.serialise(), model.name());
    for (const auto& it : session.inputs()) result.inputs.push_back(vision::to_string(it));
    for (const auto& it : session.outputs()) result.outputs.push_back(vision::to_string(it));
  }
  result.nodes = static_cast<std::size_t>(graph.node_size());
  for (const auto& node : graph.node()) ++result.operators[node.op_type()];
  for (const auto& tensor : graph.initializer()) {
    result.parameters += element_count(tensor);
    result.weight_bytes += bytes_of(tensor);
  }
  const Facts facts = observe(runtime, model, options.input_size);
  const GraphIndex index(graph);
  double operations = 0;
  for (const auto& node : graph.node()) operations += operations_of(node, facts, index);
  result.gflop = operations / 1e9;
  result.activation_bytes = largest_alive(graph, facts, index);
  result.head = describe_head(runtime, model, options);
  describe_reading(runtime, file, options, result);
  if (options.runs > 0) {
    const std::optional<Model> device = device_graph_of(file);
    measure(runtime, device ? as_devices_run(*device) : model, options, result);
  }
  return result;
}

base::json::object to_json(const Inspection& it) {
  json::object object{{"name", it.name},
                      {"digest", it.digest},
                      {"bytes", it.bytes},
                      {"producer", it.producer},
                      {"irVersion", it.ir_version},
                      {"head", it.head},
                      {"readAs", it.read_as.empty() ? json::value() : json::value(it.read_as)},
                      {"why", it.why},
                      {"nodes", it.nodes},
                      {"parameters", it.parameters},
                      {"weightBytes", it.weight_bytes},
                      {"gflop", it.gflop},
                      {"activationBytes", it.activation_bytes},
                      {"totalMs", it.total_ms}};
  json::object opsets;
  for (const auto& [domain, version] : it.opsets) opsets[domain] = version;
  object["opsets"] = std::move(opsets);
  json::object metadata;
  for (const auto& [key, value] : it.metadata) metadata[key] = value;
  object["metadata"] = std::move(metadata);
  json::array inputs(it.inputs.begin(), it.inputs.end());
  json::array outputs(it.outputs.begin(), it.outputs.end());
  object["inputs"] = std::move(inputs);
  object["outputs"] = std::move(outputs);
  json::object operators;
  for (const auto& [type, count] : it.operators) operators[type] = count;
  object["operators"] = std::move(operators);
  json::array times;
  for (const OperatorTime& time : it.times) {
    times.push_back({{"operation", time.operation}, {"nodes", time.nodes}, {"ms", time.ms}});
  }
  object["times"] = std::move(times);
  return object;
}

}  // namespace andon::model
