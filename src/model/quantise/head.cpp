// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/head.hpp"

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

// The convolution that takes the mean of a distribution: weights 0, 1, 2, ... of one channel.
std::optional<std::size_t> bins_of(const onnx::NodeProto& node, const GraphIndex& index) {
  if (!is_onnx_operator(node, "Conv") || node.input_size() < 2) return std::nullopt;
  const auto* weights = index.initialiser(node.input(1));
  if (weights == nullptr || weights->data_type() != onnx::TensorProto::FLOAT ||
      weights->dims_size() != 4 || weights->dims(0) != 1 || weights->dims(2) != 1 ||
      weights->dims(3) != 1 || weights->dims(1) < 2 || weights->dims(1) > 256) {
    return std::nullopt;
  }
  const std::vector<float> values = floats_of(*weights);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != static_cast<float>(i)) return std::nullopt;
  }
  return values.size();
}

bool is_last_convolution(const onnx::NodeProto& node, const GraphIndex& index) {
  return is_onnx_operator(node, "Conv") && !bins_of(node, index);
}

// Behind: every node between the outputs and the last convolutions.
struct Walk {
  std::set<int> behind;
  std::set<int> convolutions;
};
Walk walk_back(const onnx::GraphProto& graph, const GraphIndex& index) {
  Walk walk;
  std::vector<int> open;
  std::set<int> seen;
  const auto visit = [&](const std::string& tensor) {
    const int place = index.producer_place(tensor);
    if (place >= 0 && seen.insert(place).second) open.push_back(place);
  };
  for (const auto& output : graph.output()) visit(output.name());
  while (!open.empty()) {
    const int place = open.back();
    open.pop_back();
    const auto& node = graph.node(place);
    if (is_last_convolution(node, index)) {
      walk.convolutions.insert(place);
      continue;
    }
    walk.behind.insert(place);
    for (const auto& input : node.input()) visit(input);
  }
  return walk;
}

float sigmoid(float value) {
  return 1.0F / (1.0F + std::exp(-value));
}

// The mean of the distribution in `bins` values that lie `step` apart.
float mean_bin(const float* values, std::size_t bins, std::size_t step) {
  float highest = values[0];
  for (std::size_t i = 1; i < bins; ++i) highest = std::max(highest, values[i * step]);
  float sum = 0;
  float weighted = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    const float weight = std::exp(values[i * step] - highest);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

struct Candidate {
  std::string tensor;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// Pairs the convolutions by the size of their maps; `first_is_boxes` decides where both could be.
std::optional<Head> pair_up(const std::vector<Candidate>& candidates, std::size_t reg_max,
                            const ModelInput& input, std::int64_t channels, bool first_is_boxes) {
  Head head;
  head.reg_max = reg_max;
  const auto box_channels = static_cast<std::int64_t>(4 * reg_max);
  const std::int64_t classes = channels - 4;
  if (classes < 1) return std::nullopt;
  head.classes = static_cast<std::size_t>(classes);
  std::map<std::int64_t, std::vector<const Candidate*>, std::greater<>> by_height;
  for (const Candidate& it : candidates) by_height[it.height].push_back(&it);
  for (auto& [height, pair] : by_height) {
    if (pair.size() != 2 || pair[0]->width != pair[1]->width || height < 1 ||
        input.shape[2] % height != 0) {
      return std::nullopt;
    }
    if (pair[0]->channels == pair[1]->channels ? !first_is_boxes
                                               : pair[1]->channels == box_channels) {
      std::swap(pair[0], pair[1]);
    }
    if (pair[0]->channels != box_channels || pair[1]->channels != classes) return std::nullopt;
    const std::int64_t stride = input.shape[2] / height;
    if (stride > 1024 || input.shape[3] != stride * pair[0]->width) return std::nullopt;
    head.levels.push_back(
        {static_cast<int>(stride), height, pair[0]->width, pair[0]->tensor, pair[1]->tensor});
  }
  return head;
}

// The mean may be taken by other operators than a convolution: then any number of bins that fits
// the channels of a convolution is tried.
std::set<std::size_t> possible_bins(std::optional<std::size_t> known,
                                    const std::vector<Candidate>& candidates) {
  if (known) return {*known};
  std::set<std::size_t> bins;
  for (const Candidate& it : candidates) {
    if (it.channels % 4 == 0 && it.channels >= 8) {
      bins.insert(static_cast<std::size_t>(it.channels / 4));
    }
  }
  return bins;
}

std::vector<std::string> tensors_of(const Head& head) {
  std::vector<std::string> names;
  for (const HeadLevel& level : head.levels) {
    names.push_back(level.boxes);
    names.push_back(level.scores);
  }
  return names;
}

// Boxes within a hundredth of a pixel and a ten-thousandth of their size, scores within 1e-4.
bool decodes_like_the_model(const vision::OnnxRuntime& runtime, const Model& model,
                            const Head& head, std::optional<vision::Size> input_size) {
  std::vector<std::string> names = tensors_of(head);
  names.push_back(model.graph().output(0).name());
  vision::SessionOptions options;
  options.optimization = vision::SessionOptions::Optimization::basic;
  Execution execution(runtime, model, names, inputs_of(model, input_size), options);
  for (const unsigned seed : {1U, 2U}) {
    std::vector<vision::TensorView> values = execution.run_random(seed);
    const vision::TensorView expected = values.back();
    values.pop_back();
    const std::vector<float> decoded = decode_head(head, values);
    const auto wanted = expected.floats();
    if (decoded.size() != wanted.size()) return false;
    const std::size_t box_values = decoded.size() / (4 + head.classes) * 4;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      const float allowed = i < box_values ? 0.01F + 1e-4F * std::fabs(wanted[i]) : 1e-4F;
      if (!(std::fabs(decoded[i] - wanted[i]) <= allowed)) return false;
    }
  }
  return true;
}

}  // namespace

Tail find_tail(const Model& model) {
  const auto& graph = model.graph();
  const GraphIndex index(graph);
  const Walk walk = walk_back(graph, index);
  Tail tail;
  for (const int place : walk.convolutions) {
    tail.last_convolutions.push_back(graph.node(place).output(0));
  }
  // What is behind one convolution may be before another: then it belongs to the network.
  std::set<int> before;
  std::vector<int> open(walk.convolutions.begin(), walk.convolutions.end());
  while (!open.empty()) {
    const int place = open.back();
    open.pop_back();
    for (const auto& input : graph.node(place).input()) {
      const int producer = index.producer_place(input);
      if (producer >= 0 && before.insert(producer).second) open.push_back(producer);
    }
  }
  for (const int place : walk.behind) {
    if (before.contains(place)) continue;
    const auto& outputs = graph.node(place).output();
    tail.tensors.insert(outputs.begin(), outputs.end());
  }
  return tail;
}

std::vector<float> decode_head(const Head& head, const std::vector<vision::TensorView>& tensors) {
  std::size_t anchors = 0;
  for (const HeadLevel& level : head.levels) {
    anchors += static_cast<std::size_t>(level.height * level.width);
  }
  std::vector<float> result((4 + head.classes) * anchors);
  std::size_t first = 0;
  for (std::size_t number = 0; number < head.levels.size(); ++number) {
    const HeadLevel& level = head.levels[number];
    const auto cells = static_cast<std::size_t>(level.height * level.width);
    const auto width = static_cast<std::size_t>(level.width);
    const auto boxes = tensors.at(2 * number).floats();
    const auto scores = tensors.at(2 * number + 1).floats();
    if (boxes.size() != 4 * head.reg_max * cells || scores.size() != head.classes * cells) {
      throw base::Error(base::ErrorCode::internal, "a head's tensors do not have its shape");
    }
    const auto stride = static_cast<float>(level.stride);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      std::array<float, 4> side{};
      for (std::size_t i = 0; i < 4; ++i) {
        side.at(i) = mean_bin(boxes.data() + i * head.reg_max * cells + cell, head.reg_max, cells);
      }
      const float x = static_cast<float>(cell % width) + 0.5F;
      const float y = static_cast<float>(cell / width) + 0.5F;
      float* out = result.data() + first + cell;
      out[0] = (x + (side[2] - side[0]) / 2) * stride;
      out[anchors] = (y + (side[3] - side[1]) / 2) * stride;
      out[2 * anchors] = (side[0] + side[2]) * stride;
      out[3 * anchors] = (side[1] + side[3]) * stride;
      for (std::size_t id = 0; id < head.classes; ++id) {
        out[(4 + id) * anchors] = sigmoid(scores[id * cells + cell]);
      }
    }
    first += cells;
  }
  return result;
}

HeadSearch find_head(const vision::OnnxRuntime& runtime, const Model& model,
                     std::optional<vision::Size> input_size) {
  const auto& graph = model.graph();
  if (graph.output_size() != 1) {
    return {std::nullopt, fmt::format("it has {} outputs, not one", graph.output_size())};
  }
  const auto inputs = inputs_of(model, input_size);
  if (inputs.size() != 1 || inputs[0].shape.size() != 4 ||
      inputs[0].element_type != onnx::TensorProto::FLOAT) {
    return {std::nullopt, "its input is not one float32 picture"};
  }
  const GraphIndex index(graph);
  const Walk walk = walk_back(graph, index);
  if (walk.convolutions.size() < 2 || walk.convolutions.size() % 2 != 0 ||
      walk.convolutions.size() > 16) {
    return {std::nullopt, fmt::format("{} convolutions come last, not a pair for each level",
                                      walk.convolutions.size())};
  }
  std::optional<std::size_t> reg_max;
  for (const int place : walk.behind) {
    if (const auto bins = bins_of(graph.node(place), index)) reg_max = bins;
  }
  const auto facts = observe(runtime, model, input_size);
  std::vector<Candidate> candidates;
  for (const int place : walk.convolutions) {
    const std::string& tensor = graph.node(place).output(0);
    const Shape& shape = facts.at(tensor).shape;
    if (shape.size() != 4) return {std::nullopt, "its last convolutions are not over pictures"};
    candidates.push_back({tensor, shape[1], shape[2], shape[3]});
  }
  const Shape& output = facts.at(graph.output(0).name()).shape;
  if (output.size() != 3) return {std::nullopt, "its output is not [1,4+classes,anchors]"};
  for (const std::size_t bins : possible_bins(reg_max, candidates)) {
    for (const bool first_is_boxes : {true, false}) {
      auto head = pair_up(candidates, bins, inputs[0], output[1], first_is_boxes);
      if (!head) continue;
      if (decodes_like_the_model(runtime, model, *head, input_size)) return {head, {}};
    }
  }
  return {std::nullopt, "what its last convolutions give does not decode to its output"};
}

void cut_head(Model& model, const Head& head) {
  onnx::GraphProto& graph = model.graph();
  graph.clear_output();
  std::map<std::string, std::string> names;
  for (const HeadLevel& level : head.levels) {
    names[level.boxes] = fmt::format("boxes_{}", level.stride);
    names[level.scores] = fmt::format("scores_{}", level.stride);
  }
  rename_tensors(graph, names);
  const bool is_batch_fixed = graph.input(0).type().tensor_type().shape().dim(0).has_dim_value();
  const bool is_size_fixed = graph.input(0).type().tensor_type().shape().dim(2).has_dim_value() &&
                             graph.input(0).type().tensor_type().shape().dim(3).has_dim_value();
  const auto declare = [&](const std::string& name, std::size_t channels, const HeadLevel& level) {
    auto& output = *graph.add_output();
    output.set_name(name);
    auto& type = *output.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    auto& shape = *type.mutable_shape();
    auto& batch = *shape.add_dim();
    if (is_batch_fixed) {
      batch.set_dim_value(1);
    } else {
      batch.set_dim_param("batch");
    }
    shape.add_dim()->set_dim_value(static_cast<std::int64_t>(channels));
    for (const std::int64_t side : {level.height, level.width}) {
      auto& dimension = *shape.add_dim();
      if (is_size_fixed) dimension.set_dim_value(side);
    }
  };
  for (const HeadLevel& level : head.levels) {
    declare(names[level.boxes], 4 * head.reg_max, level);
    declare(names[level.scores], head.classes, level);
  }
  static_cast<void>(remove_dead_nodes(graph));
  model.set_metadata("andon_head", "yolov8_dfl");
  model.set_metadata("andon_reg_max", fmt::format("{}", head.reg_max));
}

vision::Size fitted_input(const Head& head, const vision::Size& picture) {
  if (picture.width < 1 || picture.height < 1) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "a picture's width and height must be positive");
  }
  const HeadLevel& coarsest = head.levels.back();
  const std::int64_t step = coarsest.stride;
  const std::int64_t longer = step * std::max(coarsest.width, coarsest.height);
  const auto fitted = [&](int side) {
    const std::int64_t scaled = longer * side / std::max(picture.width, picture.height);
    return static_cast<int>(std::max<std::int64_t>(1, (scaled + step - 1) / step) * step);
  };
  return {fitted(picture.width), fitted(picture.height)};
}

void set_input_size(Model& model, const Head& head, const vision::Size& size) {
  onnx::GraphProto& graph = model.graph();
  const auto set = [](onnx::ValueInfoProto& value, std::int64_t height, std::int64_t width) {
    auto& shape = *value.mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(2)->set_dim_value(height);
    shape.mutable_dim(3)->set_dim_value(width);
  };
  set(*graph.mutable_input(0), size.height, size.width);
  for (int i = 0; i < graph.output_size(); ++i) {
    const int stride = head.levels.at(static_cast<std::size_t>(i) / 2).stride;
    set(*graph.mutable_output(i), size.height / stride, size.width / stride);
  }
  graph.clear_value_info();
  model.set_metadata("imgsz", fmt::format("[{}, {}]", size.height, size.width));
}

}  // namespace andon::model
