// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/byte_functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <vector>

#include "base/error/error.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

// Operators of ONNX that work on each element for itself where all but one input are single values.
const std::set<std::string> kElementwise{
    "Abs",   "Add",  "Clip",           "Celu",      "Div",      "Elu",       "Erf",
    "Exp",   "Gelu", "HardSigmoid",    "HardSwish", "Identity", "LeakyRelu", "Log",
    "Max",   "Min",  "Mish",           "Mul",       "Neg",      "Pow",       "Reciprocal",
    "Relu",  "Selu", "Sigmoid",        "Softplus",  "Softsign", "Sqrt",      "Sub",
    "Swish", "Tanh", "ThresholdedRelu"};

// 256 values in a shape to which any single value fits, whatever its rank up to four.
const Shape kAllValues{1, 1, 1, 256};

bool is_single(const onnx::TensorProto& tensor) {
  return tensor.dims_size() <= 4 && element_count(tensor) == 1;
}

class Search {
 public:
  explicit Search(const Model& model) : graph_(model.graph()), index_(graph_) {
    for (int place = 0; place < graph_.node_size(); ++place) visit(place);
  }

  // By the bytes that a QuantizeLinear gives: those that they are a function of.
  std::map<std::string, std::string> found;

  // The nodes between, and nothing else: its inputs are the bytes of which something is a function.
  [[nodiscard]] Model nodes_between(const Model& model) const {
    Model part = model;
    onnx::GraphProto& graph = part.graph();
    keep_nodes(graph, [&](int place) { return places_.contains(place); });
    graph.clear_input();
    graph.clear_output();
    graph.clear_value_info();
    graph.clear_quantization_annotation();
    std::set<std::string> sources;
    for (const auto& [bytes, of] : found) {
      declare(*graph.add_output(), bytes);
      // A function of something is never what another one is a function of.
      if (sources.insert(of).second) declare(*graph.add_input(), of);
    }
    static_cast<void>(remove_dead_nodes(graph));
    return part;
  }

 private:
  static void declare(onnx::ValueInfoProto& value, const std::string& name) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::UINT8);
    for (const std::int64_t dimension : kAllValues) {
      type.mutable_shape()->add_dim()->set_dim_value(dimension);
    }
  }

  void visit(int place) {
    const onnx::NodeProto& node = graph_.node(place);
    if (node.output_size() != 1 || node.input_size() == 0 || has_subgraphs(node)) return;
    const std::string& output = node.output(0);
    if (is_onnx_operator(node, "DequantizeLinear")) {
      visit_reader(place, node);
    } else if (is_onnx_operator(node, "QuantizeLinear")) {
      const auto source = sources_.find(node.input(0));
      if (source == sources_.end() || !has_single_step(node)) return;
      found[output] = source->second;
      places_.insert(place);
    } else if (kElementwise.contains(node.op_type()) && is_onnx_operator(node, node.op_type())) {
      std::string of;
      for (const std::string& input : node.input()) {
        if (input.empty() || singles_.contains(input)) continue;
        const auto* constant = index_.initialiser(input);
        if (constant != nullptr && is_single(*constant)) continue;
        const auto source = sources_.find(input);
        if (source == sources_.end() || (!of.empty() && of != source->second)) return;
        of = source->second;
      }
      if (of.empty()) return;
      sources_[output] = of;
      places_.insert(place);
    }
  }

  void visit_reader(int place, const onnx::NodeProto& node) {
    if (!has_single_step(node)) return;
    const std::string& bytes = node.input(0);
    if (const auto* constant = index_.initialiser(bytes); constant != nullptr) {
      if (!is_single(*constant)) return;
      singles_.insert(node.output(0));
    } else {
      const auto* maker = index_.producer(bytes);
      if (maker == nullptr || !is_onnx_operator(*maker, "QuantizeLinear")) return;
      const auto function = found.find(bytes);
      sources_[node.output(0)] = function == found.end() ? bytes : function->second;
    }
    places_.insert(place);
  }

  // One scale and one zero point of UINT8, both constant.
  [[nodiscard]] bool has_single_step(const onnx::NodeProto& node) const {
    if (node.input_size() != 3) return false;
    const auto* scale = index_.initialiser(node.input(1));
    const auto* zero = index_.initialiser(node.input(2));
    return scale != nullptr && zero != nullptr && is_single(*scale) && is_single(*zero) &&
           scale->data_type() == onnx::TensorProto::FLOAT &&
           zero->data_type() == onnx::TensorProto::UINT8;
  }

  const onnx::GraphProto& graph_;
  const GraphIndex index_;
  std::map<std::string, std::string> sources_;  // of float tensors: what they are a function of
  std::set<std::string> singles_;               // float tensors that are one constant
  std::set<int> places_;
};

}  // namespace

std::map<std::string, ByteFunction> find_byte_functions(const vision::OnnxRuntime& runtime,
                                                        const Model& quantised) {
  const Search search(quantised);
  std::map<std::string, ByteFunction> functions;
  if (search.found.empty()) return functions;
  const Model part = search.nodes_between(quantised);
  Execution execution(runtime, part, output_names(part), inputs_of(part, std::nullopt));
  std::array<std::byte, 256> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  const std::vector<std::span<const std::byte>> values(execution.inputs().size(), all);
  const auto& tables = execution.run(values);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const std::string& bytes = execution.outputs()[i];
    ByteFunction function{search.found.at(bytes), {}};
    if (tables[i].bytes.size() != function.table.size()) {
      throw base::Error(base::ErrorCode::internal,
                        fmt::format("'{}' is not a function of single bytes", bytes));
    }
    std::memcpy(function.table.data(), tables[i].bytes.data(), function.table.size());
    functions.emplace(bytes, std::move(function));
  }
  return functions;
}

}  // namespace andon::model
