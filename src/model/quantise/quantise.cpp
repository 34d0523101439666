// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/quantise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/error/error.hpp"
#include "model/graph/cleanup.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

const std::set<std::string> kArithmetic{"Conv", "Sigmoid", "LeakyRelu",         "Add",
                                        "Mul",  "Concat",  "GlobalAveragePool", "AveragePool"};
// They move values and make none: input and output share their scale.
const std::set<std::string> kMoving{"MaxPool", "Resize",    "Split",   "Reshape", "Transpose",
                                    "Flatten", "Unsqueeze", "Squeeze", "Slice"};
// Behind a convolution or a sum they go into its output's range.
const std::set<std::string> kClipping{"Relu", "Clip"};

// What such a node gives lies in a range that is known from its inputs' or from its formula.
bool gives_a_known_range(const onnx::NodeProto& node) {
  return kMoving.contains(node.op_type()) || node.op_type() == "Concat" ||
         node.op_type() == "Sigmoid";
}

// How many of the node's first inputs are values, as opposed to shapes, axes and sizes.
int value_inputs(const onnx::NodeProto& node) {
  if (node.op_type() == "Add" || node.op_type() == "Mul") return 2;
  if (node.op_type() == "Concat") return node.input_size();
  return 1;
}

bool is_float(const std::map<std::string, TensorFacts>& facts, const std::string& tensor) {
  const auto found = facts.find(tensor);
  return found != facts.end() && found->second.element_type == onnx::TensorProto::FLOAT;
}

// Why the node cannot have eight bits; empty where it can.
std::string refusal(const onnx::NodeProto& node, const GraphIndex& index,
                    const std::set<std::string>& quantised) {
  if (has_subgraphs(node)) return "control flow";
  if (!node.domain().empty() && node.domain() != "ai.onnx") return "operator of another domain";
  const bool is_moving = kMoving.contains(node.op_type());
  const bool is_clipping = kClipping.contains(node.op_type());
  if (!is_moving && !is_clipping && !kArithmetic.contains(node.op_type())) return "no 8-bit kernel";
  const auto comes_quantised = [&](const std::string& tensor) {
    const auto* producer = index.producer(tensor);
    return producer != nullptr && quantised.contains(producer->output(0));
  };
  if ((is_moving || is_clipping) && !comes_quantised(node.input(0))) return "its input is float";
  if (is_clipping) {
    const auto* producer = index.producer(node.input(0));
    if (!index.has_one_reader(node.input(0)) ||
        (producer->op_type() != "Conv" && producer->op_type() != "Add")) {
      return "not behind a convolution";
    }
  }
  if (value_inputs(node) == 1 && index.initialiser(node.input(0)) != nullptr) {
    return "its input is constant";
  }
  if (node.op_type() == "Conv") {
    const auto* weights = index.initialiser(node.input(1));
    if (weights == nullptr || weights->data_type() != onnx::TensorProto::FLOAT) {
      return "its weights are not constant";
    }
    if (node.input_size() > 2 && !node.input(2).empty() &&
        index.initialiser(node.input(2)) == nullptr) {
      return "its bias is not constant";
    }
  }
  if (node.op_type() == "MaxPool" && node.output_size() > 1 && !node.output(1).empty()) {
    return "it gives indices";
  }
  if (node.op_type() == "Resize") {
    const std::string mode = text_attribute(node, "mode", "nearest");
    if (mode != "nearest" && mode != "linear") return "no 8-bit kernel";
  }
  return {};
}

Range hull(Range a, Range b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Range range_of(const onnx::TensorProto& tensor) {
  Range range;
  for (const float value : floats_of(tensor)) range = hull(range, {value, value});
  return range;
}

// Groups of tensors with one scale.
class ScaleGroups {
 public:
  explicit ScaleGroups(const std::map<std::string, Range>& ranges) : ranges_(ranges) {}

  [[nodiscard]] std::string root(const std::string& tensor) {
    const auto found = parents_.find(tensor);
    if (found == parents_.end() || found->second == tensor) return tensor;
    std::string top = root(found->second);
    parents_[tensor] = top;
    return top;
  }
  [[nodiscard]] Range range(const std::string& tensor) {
    const std::string top = root(tensor);
    const auto merged = merged_.find(top);
    if (merged != merged_.end()) return merged->second;
    const auto own = ranges_.find(top);
    if (own == ranges_.end()) {
      throw Error(ErrorCode::internal, fmt::format("no range for tensor '{}'", tensor));
    }
    return own->second;
  }
  void join(const std::string& left, const std::string& right) {
    const std::string a = root(left);
    const std::string b = root(right);
    if (a == b) return;
    const Range all = hull(range(a), range(b));
    parents_[b] = a;
    merged_[a] = all;
  }

 private:
  const std::map<std::string, Range>& ranges_;
  std::unordered_map<std::string, std::string> parents_;
  std::unordered_map<std::string, Range> merged_;
};

struct Step {
  float scale = 1;
  std::uint8_t zero = 0;
};
Step step_of(Range range) {
  const float low = std::min(range.low, 0.0F);
  const float high = std::max(range.high, 0.0F);
  const float scale = (high - low) / 255.0F;
  if (!(scale > 1e-30F)) return {1.0F / 255.0F, 0};
  return {scale, static_cast<std::uint8_t>(std::clamp(std::nearbyint(-low / scale), 0.0F, 255.0F))};
}

template <typename Value>
onnx::TensorProto make_values(std::string name, int type, const Shape& shape,
                              const std::vector<Value>& values) {
  return make_tensor(std::move(name), type, shape, std::as_bytes(std::span(values)));
}

class Quantiser {
 public:
  Quantiser(Model& model, const QuantisationPlan& plan, const std::map<std::string, Range>& ranges,
            const QuantisationOptions& options)
      : graph_(model.graph()), options_(options), index_(graph_), names_(graph_), groups_(ranges) {
    for (const auto& node : graph_.node()) {
      const std::string& key = node.output(0);
      if (plan.nodes.contains(key) && !options.excluded.contains(key)) nodes_.insert(key);
    }
  }

  void run() {
    // What lost its quantised input to an exclusion goes with it.
    for (const auto& node : graph_.node()) {
      if (nodes_.contains(node.output(0)) && !refusal(node, index_, nodes_).empty()) {
        nodes_.erase(node.output(0));
      }
    }
    share_scales();
    collect_tensors();
    const int count = graph_.node_size();
    for (int place = 0; place < count; ++place) {
      if (is_quantised(graph_.node(place))) convert(place);
    }
    for (const std::string& tensor : tensors_) wrap(tensor);
    for (onnx::NodeProto& node : added_) *graph_.add_node() = std::move(node);
    for (onnx::TensorProto& tensor : constants_) *graph_.add_initializer() = std::move(tensor);
    sort_topologically(graph_);
    static_cast<void>(remove_dead_nodes(graph_));
  }

 private:
  [[nodiscard]] bool is_quantised(const onnx::NodeProto& node) const {
    return nodes_.contains(node.output(0));
  }

  // The tensor between a convolution and the clipping behind it has no step of its own.
  [[nodiscard]] bool is_inside(const std::string& tensor) const {
    if (!index_.has_one_reader(tensor)) return false;
    const auto& reader = graph_.node(index_.consumers(tensor).front());
    return kClipping.contains(reader.op_type()) && is_quantised(reader);
  }

  void share_scales() {
    for (const auto& node : graph_.node()) {
      if (!is_quantised(node)) continue;
      if (kMoving.contains(node.op_type())) {
        for (const auto& output : node.output()) {
          if (!output.empty()) groups_.join(node.input(0), output);
        }
      }
    }
    for (const auto& node : graph_.node()) {
      if (!is_quantised(node) || node.op_type() != "Concat" || options_.shared_concat_limit <= 0) {
        continue;
      }
      const auto width = [](Range range) { return range.high - range.low; };
      Range all = groups_.range(node.output(0));
      bool has_constant = false;
      for (const auto& input : node.input()) {
        has_constant = has_constant || index_.initialiser(input) != nullptr;
        if (!has_constant) all = hull(all, groups_.range(input));
      }
      if (has_constant) continue;
      const bool is_cheap = std::ranges::all_of(node.input(), [&](const std::string& input) {
        return static_cast<double>(width(all)) <=
               options_.shared_concat_limit * static_cast<double>(width(groups_.range(input)));
      });
      if (!is_cheap) continue;
      for (const auto& input : node.input()) groups_.join(node.output(0), input);
    }
  }

  void collect_tensors() {
    std::set<std::string> seen;
    const auto add = [&](const std::string& tensor) {
      if (!tensor.empty() && seen.insert(tensor).second) tensors_.push_back(tensor);
    };
    for (const auto& node : graph_.node()) {
      if (!is_quantised(node)) continue;
      for (int i = 0; i < value_inputs(node); ++i) {
        if (index_.initialiser(node.input(i)) == nullptr && !is_inside(node.input(i))) {
          add(node.input(i));
        }
      }
      for (const auto& output : node.output()) {
        if (!is_inside(output)) add(output);
      }
    }
  }

  // Scale and zero point of a group, stored once.
  struct StepNames {
    std::string scale;
    std::string zero;
  };
  const StepNames& step_names(const std::string& tensor) {
    const std::string top = groups_.root(tensor);
    const auto known = steps_.find(top);
    if (known != steps_.end()) return known->second;
    const Step step = step_of(groups_.range(top));
    StepNames stored{names_.make(fmt::format("q{}_s", steps_.size())),
                     names_.make(fmt::format("q{}_z", steps_.size()))};
    constants_.push_back(
        make_values<float>(stored.scale, onnx::TensorProto::FLOAT, {}, {step.scale}));
    constants_.push_back(
        make_values<std::uint8_t>(stored.zero, onnx::TensorProto::UINT8, {}, {step.zero}));
    return steps_.emplace(top, stored).first->second;
  }

  // tensor -> QuantizeLinear -> DequantizeLinear. Where a quantised node makes the tensor, all
  // readers get the result, under the old name; else only quantised readers, under a new one.
  void wrap(const std::string& tensor) {
    const StepNames step = step_names(tensor);
    const std::size_t number = wrapped_++;
    const std::string stored = names_.make(fmt::format("t{}_q", number));
    const int place = index_.producer_place(tensor);
    std::string source = tensor;
    std::string result = tensor;
    if (place >= 0 && is_quantised_place(place)) {
      source = names_.make(fmt::format("t{}_f", number));
      for (auto& output : *graph_.mutable_node(place)->mutable_output()) {
        if (output == tensor) output = source;
      }
    } else {
      result = names_.make(fmt::format("t{}_d", number));
      for (const int reader : index_.consumers(tensor)) {
        if (!is_quantised_place(reader)) continue;
        auto& node = *graph_.mutable_node(reader);
        for (int i = 0; i < value_inputs(node); ++i) {
          if (node.input(i) == tensor) node.set_input(i, result);
        }
      }
    }
    added_.push_back(make_node("QuantizeLinear", "", {source, step.scale, step.zero}, {stored}));
    added_.push_back(make_node("DequantizeLinear", "", {stored, step.scale, step.zero}, {result}));
  }

  // By place: outputs are being renamed while this runs.
  [[nodiscard]] bool is_quantised_place(int place) const { return places_.contains(place); }

  void convert(int place) {
    places_.insert(place);
    auto& node = *graph_.mutable_node(place);
    if (node.op_type() == "Conv") {
      convert_weights(node);
      return;
    }
    for (int i = 0; i < value_inputs(node); ++i) {
      const auto* constant = index_.initialiser(node.input(i));
      if (constant != nullptr && constant->data_type() == onnx::TensorProto::FLOAT) {
        node.set_input(i, convert_constant(*constant));
      }
    }
  }

  std::string convert_constant(const onnx::TensorProto& tensor) {
    const auto known = converted_.find(tensor.name());
    if (known != converted_.end()) return known->second;
    const std::vector<float> values = floats_of(tensor);
    const Step step = step_of(range_of(tensor));
    std::vector<std::uint8_t> stored;
    for (const float value : values) {
      stored.push_back(static_cast<std::uint8_t>(std::clamp(
          std::nearbyint(value / step.scale) + static_cast<float>(step.zero), 0.0F, 255.0F)));
    }
    const std::string base = names_.make(fmt::format("c{}", converted_.size()));
    constants_.push_back(make_values(base, onnx::TensorProto::UINT8, shape_of(tensor), stored));
    constants_.push_back(
        make_values<float>(base + "_s", onnx::TensorProto::FLOAT, {}, {step.scale}));
    constants_.push_back(
        make_values<std::uint8_t>(base + "_z", onnx::TensorProto::UINT8, {}, {step.zero}));
    const std::string result = names_.make(base + "_d");
    added_.push_back(make_node("DequantizeLinear", "", {base, base + "_s", base + "_z"}, {result}));
    converted_[tensor.name()] = result;
    return result;
  }

  void convert_weights(onnx::NodeProto& node) {
    const onnx::TensorProto& tensor = *index_.initialiser(node.input(1));
    const std::vector<float> values = floats_of(tensor);
    const auto channels = static_cast<std::size_t>(tensor.dims(0));
    const std::size_t each = channels == 0 ? 0 : values.size() / channels;
    const bool has_bias = node.input_size() > 2 && !node.input(2).empty();
    const std::vector<float> bias =
        has_bias ? floats_of(*index_.initialiser(node.input(2))) : std::vector<float>{};
    const float input_scale = step_of(groups_.range(node.input(0))).scale;
    const float most = options_.weight_bits == 7 || reads_an_input(node) ? 63.0F : 127.0F;
    std::vector<float> scales(channels);
    std::vector<std::int8_t> stored(values.size());
    for (std::size_t channel = 0; channel < channels; ++channel) {
      float largest = 0;
      for (std::size_t i = 0; i < each; ++i) {
        largest = std::max(largest, std::fabs(values[channel * each + i]));
      }
      float scale = largest > 1e-30F ? largest / most : 1.0F;
      // The bias, in steps of both scales, has to fit into 31 bits.
      if (has_bias) {
        scale = std::max(scale, std::fabs(bias.at(channel)) / input_scale / 1.0e9F);
      }
      scales[channel] = scale;
      for (std::size_t i = 0; i < each; ++i) {
        stored[channel * each + i] = static_cast<std::int8_t>(
            std::clamp(std::nearbyint(values[channel * each + i] / scale), -most, most));
      }
    }
    const std::size_t number = weights_++;
    const std::string base = names_.make(fmt::format("w{}", number));
    const Shape per_channel{static_cast<std::int64_t>(channels)};
    constants_.push_back(make_values(base, onnx::TensorProto::INT8, shape_of(tensor), stored));
    constants_.push_back(make_floats(base + "_s", per_channel, scales));
    constants_.push_back(make_values(base + "_z", onnx::TensorProto::INT8, per_channel,
                                     std::vector<std::int8_t>(channels, 0)));
    const std::string result = names_.make(base + "_d");
    onnx::NodeProto reader =
        make_node("DequantizeLinear", "", {base, base + "_s", base + "_z"}, {result});
    set_integer_attribute(reader, "axis", 0);
    added_.push_back(std::move(reader));
    node.set_input(1, result);
    if (has_bias) node.set_input(2, convert_bias(number, bias, scales, input_scale));
  }

  // Pixels reach 255 at once in many places, so that eight bits of weights would overflow there
  // first, and how depends on the order of sums, which is not the device graph's.
  [[nodiscard]] bool reads_an_input(const onnx::NodeProto& node) const {
    return std::ranges::any_of(graph_.input(), [&](const onnx::ValueInfoProto& input) {
      return input.name() == node.input(0);
    });
  }

  std::string convert_bias(std::size_t number, const std::vector<float>& bias,
                           const std::vector<float>& scales, float input_scale) {
    std::vector<float> steps(scales.size());
    std::vector<std::int32_t> stored(scales.size());
    for (std::size_t i = 0; i < scales.size(); ++i) {
      steps[i] = scales[i] * input_scale;
      stored[i] = static_cast<std::int32_t>(
          std::clamp(std::nearbyint(static_cast<double>(bias.at(i)) / steps[i]), -2.0e9, 2.0e9));
    }
    const std::string base = names_.make(fmt::format("b{}", number));
    const Shape shape{static_cast<std::int64_t>(scales.size())};
    constants_.push_back(make_values(base, onnx::TensorProto::INT32, shape, stored));
    constants_.push_back(make_floats(base + "_s", shape, steps));
    const std::string result = names_.make(base + "_d");
    onnx::NodeProto reader = make_node("DequantizeLinear", "", {base, base + "_s"}, {result});
    set_integer_attribute(reader, "axis", 0);
    added_.push_back(std::move(reader));
    return result;
  }

  onnx::GraphProto& graph_;
  const QuantisationOptions& options_;
  const GraphIndex index_;  // of the graph as it was
  NameSource names_;
  ScaleGroups groups_;
  std::set<std::string> nodes_;
  std::set<int> places_;
  std::vector<std::string> tensors_;
  std::unordered_map<std::string, StepNames> steps_;
  std::unordered_map<std::string, std::string> converted_;
  std::vector<onnx::NodeProto> added_;
  std::vector<onnx::TensorProto> constants_;
  std::size_t wrapped_ = 0;
  std::size_t weights_ = 0;
};

}  // namespace

QuantisationPlan plan_quantisation(const Model& model, const Tail& tail,
                                   const std::map<std::string, TensorFacts>& facts) {
  const auto& graph = model.graph();
  const GraphIndex index(graph);
  const std::set<std::string> last(tail.last_convolutions.begin(), tail.last_convolutions.end());
  std::set<std::string> inputs;
  for (const auto& input : graph.input()) {
    if (input.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT) {
      inputs.insert(input.name());
    }
  }
  QuantisationPlan plan;
  std::set<std::string> seen;
  const auto need = [&](const std::string& tensor) {
    if (!tensor.empty() && index.initialiser(tensor) == nullptr && seen.insert(tensor).second) {
      plan.tensors.push_back(tensor);
    }
  };
  for (const auto& node : graph.node()) {
    if (node.output_size() == 0 || node.output(0).empty() || !is_float(facts, node.output(0))) {
      continue;
    }
    std::string why;
    if (last.contains(node.output(0))) {
      why = "last convolution: what it gives is not rounded";
    } else if (tail.tensors.contains(node.output(0))) {
      why = "decodes the outputs";
    } else {
      why = refusal(node, index, plan.nodes);
    }
    for (int i = 0; why.empty() && i < value_inputs(node); ++i) {
      const auto* constant = index.initialiser(node.input(i));
      const bool is_value = constant != nullptr
                                ? constant->data_type() == onnx::TensorProto::FLOAT
                                : inputs.contains(node.input(i)) || is_float(facts, node.input(i));
      if (!is_value) why = "its input is not float32";
    }
    if (!why.empty()) {
      plan.in_float.push_back({name_of(node), node.op_type(), why});
      continue;
    }
    plan.nodes.insert(node.output(0));
    for (int i = 0; i < value_inputs(node); ++i) {
      const auto* producer = index.producer(node.input(i));
      if (producer == nullptr || !plan.nodes.contains(producer->output(0)) ||
          !gives_a_known_range(*producer)) {
        need(node.input(i));
      }
    }
    if (gives_a_known_range(node)) continue;
    for (const auto& output : node.output()) need(output);
  }
  return plan;
}

void complete_ranges(const Model& model, const QuantisationPlan& plan,
                     std::map<std::string, Range>& ranges) {
  const GraphIndex index(model.graph());
  for (const auto& node : model.graph().node()) {
    if (!plan.nodes.contains(node.output(0)) || !gives_a_known_range(node)) continue;
    Range all;
    for (int i = 0; i < value_inputs(node); ++i) {
      const auto* constant = index.initialiser(node.input(i));
      all = hull(all, constant != nullptr ? range_of(*constant) : ranges.at(node.input(i)));
    }
    if (node.op_type() == "Sigmoid") all = {0, 1.0F / (1.0F + std::exp(-all.high))};
    for (const auto& output : node.output()) ranges.emplace(output, all);
  }
}

std::vector<Layer> layers_of(const Model& model, const QuantisationPlan& plan) {
  const auto& graph = model.graph();
  const GraphIndex index(graph);
  static const std::set<std::string> activations{"Sigmoid", "Mul", "Relu", "Clip", "LeakyRelu"};
  std::vector<Layer> layers;
  for (const auto& node : graph.node()) {
    if (node.op_type() != "Conv" || !plan.nodes.contains(node.output(0))) continue;
    Layer layer{name_of(node), {node.output(0)}};
    std::vector<std::string> open{node.output(0)};
    while (!open.empty()) {
      const std::string tensor = open.back();
      open.pop_back();
      for (const int place : index.consumers(tensor)) {
        const auto& reader = graph.node(place);
        if (!activations.contains(reader.op_type()) || !plan.nodes.contains(reader.output(0))) {
          continue;
        }
        // An activation reads nothing but the convolution and what was made of it.
        const bool is_own = std::ranges::all_of(reader.input(), [&](const std::string& input) {
          const auto* producer = index.producer(input);
          return producer == nullptr || layer.nodes.contains(producer->output(0));
        });
        if (is_own && layer.nodes.insert(reader.output(0)).second) open.push_back(reader.output(0));
      }
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

void quantise(Model& model, const QuantisationPlan& plan,
              const std::map<std::string, Range>& ranges, const QuantisationOptions& options) {
  if (model.opset() < kQuantisableOpset) {
    throw Error(ErrorCode::internal, "a model is quantised before its opset was raised");
  }
  Quantiser(model, plan, ranges, options).run();
}

}  // namespace andon::model
