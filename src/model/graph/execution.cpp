// SPDX-License-Identifier: Apache-2.0
#include "model/graph/execution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "base/error/error.hpp"
#include "model/graph/onnx.hpp"
#include "vision/heads/metadata.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kMaxInputElements = 256LL << 20U;

vision::Size usual_size(const Model& model, std::optional<vision::Size> wanted) {
  if (wanted) return *wanted;
  const auto metadata = model.metadata();
  const auto entry = metadata.find("imgsz");
  if (entry != metadata.end()) return vision::parse_image_size(entry->second);
  return {640, 640};
}

std::string serialise_with_outputs(const Model& model, const std::vector<std::string>& outputs) {
  std::set<std::string> present;
  for (const auto& output : model.graph().output()) present.insert(output.name());
  Model wider = model;
  for (const std::string& name : outputs) {
    // Without a type: ONNX Runtime finds it out.
    if (present.insert(name).second) wider.graph().add_output()->set_name(name);
  }
  return wider.serialise();
}

}  // namespace

std::vector<ModelInput> inputs_of(const Model& model, std::optional<vision::Size> input_size) {
  const vision::Size size = usual_size(model, input_size);
  std::vector<ModelInput> inputs;
  for (const auto& declared : model.graph().input()) {
    if (!declared.type().has_tensor_type()) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: its input '{}' is not a tensor", model.name(), declared.name()));
    }
    ModelInput input;
    input.name = declared.name();
    input.element_type = declared.type().tensor_type().elem_type();
    const auto& shape = declared.type().tensor_type().shape();
    std::int64_t elements = 1;
    for (int i = 0; i < shape.dim_size(); ++i) {
      std::int64_t dimension = shape.dim(i).has_dim_value() ? shape.dim(i).dim_value() : -1;
      if (dimension < 0) {
        input.is_fixed = false;
        const bool is_picture = shape.dim_size() == 4;
        dimension = 1;
        if (is_picture && i == 1) dimension = 3;
        if (is_picture && i == 2) dimension = size.height;
        if (is_picture && i == 3) dimension = size.width;
      }
      if (dimension == 0 || dimension > kMaxInputElements / elements) {
        throw Error(
            ErrorCode::invalid_argument,
            fmt::format("{}: its input '{}' has an impossible shape", model.name(), input.name));
      }
      elements *= dimension;
      input.shape.push_back(dimension);
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::vector<std::byte> random_values(const ModelInput& input, unsigned seed) {
  std::size_t count = 1;
  for (const std::int64_t dimension : input.shape) count *= static_cast<std::size_t>(dimension);
  std::vector<std::byte> bytes(count * vision::element_bytes(input.element_type));
  std::minstd_rand generator(seed + 1);
  if (input.element_type == onnx::TensorProto::FLOAT) {
    for (std::size_t i = 0; i < count; ++i) {
      const float value = static_cast<float>(generator() % 256U) / 255.0F;
      std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof value);
    }
  } else if (input.element_type == onnx::TensorProto::UINT8 ||
             input.element_type == onnx::TensorProto::INT8) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(generator() % 128U);
  }
  return bytes;  // others stay zero
}

Execution::Execution(const vision::OnnxRuntime& runtime, const Model& model,
                     std::vector<std::string> outputs, std::vector<ModelInput> inputs,
                     const vision::SessionOptions& options)
    : inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      session_(runtime, serialise_with_outputs(model, outputs_), model.name(), options) {}

const std::vector<vision::TensorView>& Execution::run(
    std::span<const std::span<const std::byte>> values) {
  std::vector<vision::NamedTensor> given;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    given.push_back({inputs_[i].name, {inputs_[i].element_type, inputs_[i].shape, values[i]}});
  }
  return session_.run_tensors(given, outputs_);
}

const std::vector<vision::TensorView>& Execution::run_random(unsigned seed) {
  random_.clear();
  std::vector<std::span<const std::byte>> values;
  for (const ModelInput& input : inputs_) random_.push_back(random_values(input, seed));
  for (const auto& it : random_) values.emplace_back(it);
  return run(values);
}

const std::vector<vision::TensorView>& Execution::run(std::span<const float> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  return run(std::span(&bytes, 1));
}

std::vector<std::string> output_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& output : model.graph().output()) names.push_back(output.name());
  return names;
}

std::map<std::string, TensorFacts> observe(const vision::OnnxRuntime& runtime, const Model& model,
                                           std::optional<vision::Size> input_size) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) {
    // Sequences and maps come out of these; a subgraph's type is the runtime's business.
    if (node.op_type().starts_with("Sequence") || node.op_type() == "SplitToSequence" ||
        node.op_type() == "Optional" || node.op_type() == "ZipMap" || has_subgraphs(node)) {
      continue;
    }
    for (const auto& output : node.output()) {
      if (!output.empty()) names.push_back(output);
    }
  }
  vision::SessionOptions options;
  options.optimization = vision::SessionOptions::Optimization::nothing;
  Execution execution(runtime, model, names, inputs_of(model, input_size), options);
  const auto& values = execution.run_random(0);
  std::map<std::string, TensorFacts> facts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    facts[names[i]] = {values[i].element_type, values[i].shape};
  }
  return facts;
}

double largest_difference(std::span<const vision::TensorView> left,
                          std::span<const vision::TensorView> right) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (left.size() != right.size()) return kInfinite;
  double largest = 0;
  for (std::size_t output = 0; output < left.size(); ++output) {
    if (left[output].shape != right[output].shape ||
        left[output].element_type != right[output].element_type) {
      return kInfinite;
    }
    if (left[output].element_type != onnx::TensorProto::FLOAT) {
      if (!std::ranges::equal(left[output].bytes, right[output].bytes)) return kInfinite;
      continue;
    }
    const auto a = left[output].floats();
    const auto b = right[output].floats();
    double scale = 0;
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (std::isnan(a[i]) != std::isnan(b[i])) return kInfinite;
      if (a[i] == b[i] || std::isnan(a[i])) continue;
      difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
    }
    for (const float value : a) {
      if (std::isfinite(value)) scale = std::max(scale, std::abs(static_cast<double>(value)));
    }
    if (difference > 0) largest = std::max(largest, difference / std::max(scale, 1e-12));
  }
  return largest;
}

double largest_difference(const vision::OnnxRuntime& runtime, const Model& left, const Model& right,
                          std::optional<vision::Size> input_size, unsigned runs) {
  vision::SessionOptions options;
  options.optimization = vision::SessionOptions::Optimization::basic;
  Execution first(runtime, left, output_names(left), inputs_of(left, input_size), options);
  Execution second(runtime, right, output_names(right), inputs_of(right, input_size), options);
  double largest = 0;
  for (unsigned seed = 0; seed < runs; ++seed) {
    const auto& expected = first.run_random(seed);
    largest = std::max(largest, largest_difference(expected, second.run_random(seed)));
  }
  return largest;
}

}  // namespace andon::model
