// SPDX-License-Identifier: Apache-2.0
#include "model/graph/cleanup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/error/error.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxFoldedBytes = 16U << 20U;
// Fusing changes the order of float32 sums.
constexpr double kRounding = 1e-3;

bool makes_the_same_each_time(const onnx::NodeProto& node) {
  static const std::set<std::string> chance{
      "RandomNormal", "RandomNormalLike", "RandomUniform",  "RandomUniformLike",
      "Multinomial",  "Bernoulli",        "QuantizeLinear", "DequantizeLinear"};
  return (node.domain().empty() || node.domain() == "ai.onnx") && !has_subgraphs(node) &&
         !chance.contains(node.op_type());
}

// Constant nodes with a tensor or numbers; others (strings, sparse) are left.
std::size_t constants_to_initialisers(onnx::GraphProto& graph) {
  std::set<int> done;
  for (int place = 0; place < graph.node_size(); ++place) {
    const auto& node = graph.node(place);
    if (!is_onnx_operator(node, "Constant") || node.attribute_size() != 1) continue;
    const auto& attribute = node.attribute(0);
    onnx::TensorProto tensor;
    if (attribute.name() == "value" && attribute.has_t()) {
      tensor = attribute.t();
    } else if (attribute.name() == "value_float") {
      const float value = attribute.f();
      tensor = make_floats("", {}, {&value, 1});
    } else if (attribute.name() == "value_int") {
      const std::int64_t value = attribute.i();
      tensor = make_tensor("", onnx::TensorProto::INT64, {}, std::as_bytes(std::span(&value, 1)));
    } else if (attribute.name() == "value_ints") {
      const std::vector<std::int64_t> values(attribute.ints().begin(), attribute.ints().end());
      tensor = make_integers("", values);
    } else if (attribute.name() == "value_floats") {
      const std::vector<float> values(attribute.floats().begin(), attribute.floats().end());
      tensor = make_floats("", {static_cast<std::int64_t>(values.size())}, values);
    } else {
      continue;
    }
    tensor.set_name(node.output(0));
    *graph.add_initializer() = std::move(tensor);
    done.insert(place);
  }
  keep_nodes(graph, [&](int place) { return !done.contains(place); });
  return done.size();
}

// The values of `names`, which depend on constants (or on shapes alone), by running `part`.
std::size_t replace_by_values(const vision::OnnxRuntime& runtime, Model& model, const Model& part,
                              std::vector<std::string> names, std::vector<ModelInput> inputs) {
  if (names.empty()) return 0;
  vision::SessionOptions options;
  options.optimization = vision::SessionOptions::Optimization::nothing;
  Execution execution(runtime, part, names, std::move(inputs), options);
  const auto& values = execution.run_random(0);
  std::set<std::string> replaced;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (values[i].bytes.size() > kMaxFoldedBytes) continue;
    replaced.insert(names[i]);
    *model.graph().add_initializer() =
        make_tensor(names[i], values[i].element_type, values[i].shape, values[i].bytes);
  }
  std::size_t removed = 0;
  keep_nodes(model.graph(), [&](int place) {
    const auto& node = model.graph().node(place);
    const bool is_done = std::ranges::all_of(node.output(), [&](const std::string& output) {
      return output.empty() || replaced.contains(output);
    });
    if (is_done) ++removed;
    return !is_done;
  });
  return removed;
}

std::size_t fold_shapes(const vision::OnnxRuntime& runtime, Model& model,
                        std::optional<vision::Size> input_size) {
  auto inputs = inputs_of(model, input_size);
  if (!std::ranges::all_of(inputs, &ModelInput::is_fixed)) return 0;
  const auto& graph = model.graph();
  // With these the shape depends on what is in the picture.
  static const std::set<std::string> by_value{"NonZero", "Unique", "Compress", "NonMaxSuppression"};
  for (const auto& node : graph.node()) {
    if (has_subgraphs(node) || by_value.contains(node.op_type())) return 0;
  }
  std::vector<std::string> names;
  const GraphIndex index(graph);
  for (const auto& node : graph.node()) {
    if (is_onnx_operator(node, "Shape") && !index.is_output(node.output(0))) {
      names.push_back(node.output(0));
    }
  }
  return replace_by_values(runtime, model, model, std::move(names), std::move(inputs));
}

std::vector<int> constant_nodes(const onnx::GraphProto& graph) {
  std::set<std::string> constants;
  for (const auto& tensor : graph.initializer()) constants.insert(tensor.name());
  const GraphIndex index(graph);
  std::vector<int> places;
  for (int place = 0; place < graph.node_size(); ++place) {
    const auto& node = graph.node(place);
    if (!makes_the_same_each_time(node)) continue;
    const bool is_constant =
        std::ranges::all_of(
            node.input(),
            [&](const std::string& input) { return input.empty() || constants.contains(input); }) &&
        std::ranges::none_of(node.output(),
                             [&](const std::string& output) { return index.is_output(output); });
    if (!is_constant) continue;
    places.push_back(place);
    constants.insert(node.output().begin(), node.output().end());
  }
  return places;
}

}  // namespace

std::string fold_constants(const vision::OnnxRuntime& runtime, Model& model,
                           std::optional<vision::Size> input_size) {
  const std::size_t written = constants_to_initialisers(model.graph());
  std::size_t computed = fold_shapes(runtime, model, input_size);
  const std::vector<int> places = constant_nodes(model.graph());
  if (!places.empty()) {
    Model part = model;
    const std::set<int> kept(places.begin(), places.end());
    keep_nodes(part.graph(), [&](int place) { return kept.contains(place); });
    part.graph().clear_input();
    part.graph().clear_output();
    part.graph().clear_value_info();
    std::vector<std::string> names;
    for (const auto& node : part.graph().node()) {
      for (const auto& output : node.output()) {
        if (!output.empty()) names.push_back(output);
      }
    }
    computed += replace_by_values(runtime, model, part, names, {});
  }
  static_cast<void>(remove_dead_nodes(model.graph()));
  if (written + computed == 0) return {};
  return fmt::format("{} constants computed or stored as such", written + computed);
}

std::string fuse_batch_normalization(Model& model) {
  onnx::GraphProto& graph = model.graph();
  std::size_t fused = 0;
  NameSource names(graph);
  // One at a time: each changes who reads what.
  for (bool found = true; found;) {
    found = false;
    const GraphIndex index(graph);
    for (int place = 0; place < graph.node_size() && !found; ++place) {
      const onnx::NodeProto norm = graph.node(place);
      if (!is_onnx_operator(norm, "BatchNormalization") || norm.input_size() != 5) continue;
      if (integer_attribute(norm, "training_mode", 0) != 0) continue;
      const int conv_place = index.producer_place(norm.input(0));
      if (conv_place < 0 || !index.has_one_reader(norm.input(0))) continue;
      const onnx::NodeProto& conv = graph.node(conv_place);
      if (!is_onnx_operator(conv, "Conv") || conv.input_size() < 2) continue;
      const auto* weights = index.initialiser(conv.input(1));
      const bool has_bias = conv.input_size() > 2 && !conv.input(2).empty();
      const auto* bias = has_bias ? index.initialiser(conv.input(2)) : nullptr;
      std::array<const onnx::TensorProto*, 4> parameters{};
      bool is_constant = weights != nullptr && (!has_bias || bias != nullptr);
      for (int i = 0; i < 4; ++i) {
        parameters.at(static_cast<std::size_t>(i)) = index.initialiser(norm.input(i + 1));
        is_constant = is_constant && parameters.at(static_cast<std::size_t>(i)) != nullptr;
      }
      if (!is_constant || weights->data_type() != onnx::TensorProto::FLOAT) continue;
      std::vector<float> values = floats_of(*weights);
      const std::size_t channels =
          weights->dims_size() > 0 ? static_cast<std::size_t>(weights->dims(0)) : 0;
      std::array<std::vector<float>, 4> numbers;
      bool fits = channels > 0;
      for (std::size_t i = 0; i < 4; ++i) {
        numbers.at(i) = floats_of(*parameters.at(i));
        fits = fits && numbers.at(i).size() == channels;
      }
      std::vector<float> offsets =
          bias == nullptr ? std::vector<float>(channels, 0.0F) : floats_of(*bias);
      if (!fits || offsets.size() != channels) continue;
      const auto& [scale, shift, mean, variance] = numbers;
      const float epsilon = float_attribute(norm, "epsilon", 1e-5F);
      const std::size_t each = values.size() / channels;
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const double factor =
            scale[channel] / std::sqrt(static_cast<double>(variance[channel]) + epsilon);
        for (std::size_t i = 0; i < each; ++i) {
          float& value = values[channel * each + i];
          value = static_cast<float>(value * factor);
        }
        offsets[channel] = static_cast<float>(
            (static_cast<double>(offsets[channel]) - mean[channel]) * factor + shift[channel]);
      }
      const std::string weight_name = names.make(conv.input(1) + "_fused");
      const std::string bias_name = names.make(conv.input(1) + "_bias");
      const Shape weight_shape = shape_of(*weights);
      *graph.add_initializer() = make_floats(weight_name, weight_shape, values);
      *graph.add_initializer() =
          make_floats(bias_name, {static_cast<std::int64_t>(channels)}, offsets);
      onnx::NodeProto& changed = *graph.mutable_node(conv_place);
      changed.set_input(1, weight_name);
      if (changed.input_size() > 2) {
        changed.set_input(2, bias_name);
      } else {
        changed.add_input(bias_name);
      }
      changed.set_output(0, norm.output(0));
      keep_nodes(graph, [&](int other) { return other != place; });
      ++fused;
      found = true;
    }
  }
  if (fused == 0) return {};
  static_cast<void>(remove_dead_nodes(graph));
  return fmt::format("{} BatchNormalization fused into convolutions", fused);
}

std::string remove_identities(Model& model) {
  onnx::GraphProto& graph = model.graph();
  std::size_t removed = 0;
  std::set<std::string> inputs;
  for (const auto& input : graph.input()) inputs.insert(input.name());
  for (bool found = true; found;) {
    found = false;
    const GraphIndex index(graph);
    for (int place = 0; place < graph.node_size() && !found; ++place) {
      const onnx::NodeProto node = graph.node(place);
      const bool is_dropout =
          is_onnx_operator(node, "Dropout") && (node.input_size() < 3 || node.input(2).empty()) &&
          (node.output_size() < 2 || node.output(1).empty() ||
           (index.consumers(node.output(1)).empty() && !index.is_output(node.output(1))));
      if (!is_dropout && !is_onnx_operator(node, "Identity")) continue;
      const std::string& from = node.input(0);
      const std::string& to = node.output(0);
      if (index.is_output(to)) {
        // The producer takes over the output's name, where nothing else is in the way.
        const int producer = index.producer_place(from);
        if (producer < 0 || index.is_output(from) || has_subgraphs(graph.node(producer))) {
          continue;
        }
        for (auto& output : *graph.mutable_node(producer)->mutable_output()) {
          if (output == from) output = to;
        }
        replace_readers(graph, from, to);
      } else {
        replace_readers(graph, to, from);
      }
      keep_nodes(graph, [&](int other) { return other != place; });
      ++removed;
      found = true;
    }
  }
  if (removed == 0) return {};
  return fmt::format("{} nodes that pass their input on removed", removed);
}

std::vector<std::string> clean_up(const vision::OnnxRuntime& runtime, Model& model,
                                  std::optional<vision::Size> input_size) {
  const Model before = model;
  std::vector<std::string> done;
  const auto note = [&](std::string what) {
    if (!what.empty()) done.push_back(std::move(what));
  };
  note(fold_constants(runtime, model, input_size));
  note(raise_opset(runtime, model, input_size));
  note(remove_identities(model));
  note(fuse_batch_normalization(model));
  const std::size_t dead = remove_dead_nodes(model.graph());
  if (dead > 0) note(fmt::format("{} nodes that nothing needs removed", dead));
  sort_topologically(model.graph());
  const double difference = largest_difference(runtime, before, model, input_size);
  if (difference > kRounding) {
    throw Error(ErrorCode::internal,
                fmt::format("{}: clean-up changed its outputs by {:.2g} of their range; this is a "
                            "defect of andon",
                            model.name(), difference));
  }
  return done;
}

}  // namespace andon::model
