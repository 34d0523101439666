// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/sensitivity.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/parallel/parallel.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

struct OwnedTensor {
  int element_type = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
  [[nodiscard]] vision::TensorView view() const { return {element_type, shape, bytes}; }
};

std::vector<OwnedTensor> copy(const std::vector<vision::TensorView>& views) {
  std::vector<OwnedTensor> result;
  for (const auto& view : views) {
    result.push_back({view.element_type, view.shape, {view.bytes.begin(), view.bytes.end()}});
  }
  return result;
}

std::vector<vision::TensorView> views_of(const std::vector<OwnedTensor>& tensors) {
  std::vector<vision::TensorView> views;
  for (const OwnedTensor& it : tensors) views.push_back(it.view());
  return views;
}

double relative_error(std::span<const vision::TensorView> expected,
                      std::span<const vision::TensorView> actual) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].element_type != onnx::TensorProto::FLOAT) continue;
    const auto a = expected[i].floats();
    const auto b = actual[i].floats();
    for (std::size_t j = 0; j < std::min(a.size(), b.size()); ++j) {
      difference += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
      size += static_cast<double>(a[j]) * a[j];
    }
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

}  // namespace

double output_error(std::span<const vision::TensorView> expected,
                    std::span<const vision::TensorView> actual, const std::optional<Head>& head) {
  if (!head || expected.size() != 1) return relative_error(expected, actual);
  constexpr std::size_t kAnchors = 100;
  const auto a = expected[0].floats();
  const auto b = actual[0].floats();
  const std::size_t anchors = a.size() / (4 + head->classes);
  const auto best = [&](std::span<const float> values, std::size_t anchor) {
    float score = 0;
    for (std::size_t id = 0; id < head->classes; ++id) {
      score = std::max(score, values[(4 + id) * anchors + anchor]);
    }
    return score;
  };
  std::vector<std::size_t> order(anchors);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t count = std::min(kAnchors, anchors);
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count),
                            [&](std::size_t left, std::size_t right) {
                              const float x = best(a, left);
                              const float y = best(a, right);
                              return x != y ? x > y : left < right;
                            });
  double side = 1;
  for (const HeadLevel& level : head->levels) {
    side = std::max({side, static_cast<double>(level.height * level.stride),
                     static_cast<double>(level.width * level.stride)});
  }
  double error = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t anchor = order[i];
    error += std::fabs(static_cast<double>(best(a, anchor)) - best(b, anchor));
    for (std::size_t k = 0; k < 4; ++k) {
      error += std::fabs(static_cast<double>(a[k * anchors + anchor]) - b[k * anchors + anchor]) /
               side / 4;
    }
  }
  return count == 0 ? 0 : error / static_cast<double>(count);
}

std::vector<LayerSensitivity> measure_sensitivity(const vision::OnnxRuntime& runtime,
                                                  const Model& model, const QuantisationPlan& plan,
                                                  const std::map<std::string, Range>& ranges,
                                                  const std::optional<Head>& head,
                                                  const CalibrationSet& pictures,
                                                  const SensitivityOptions& options) {
  const std::vector<Layer> layers = layers_of(model, plan);
  const std::vector<ModelInput> inputs = inputs_of(model, options.input_size);
  const std::vector<std::string> outputs = output_names(model);
  std::vector<std::vector<float>> values;
  std::vector<std::vector<OwnedTensor>> expected;
  {
    PictureSource source(picture_size(model, options.input_size), options.preprocessing);
    Execution execution(runtime, model, outputs, inputs);
    const std::size_t count = std::min(options.max_images, pictures.files.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto picture = source.read(pictures.files[i * pictures.files.size() / count]);
      values.emplace_back(picture.begin(), picture.end());
      expected.push_back(copy(execution.run(picture)));
    }
  }
  std::vector<LayerSensitivity> result(layers.size());
  std::atomic<std::size_t> done{0};
  base::share_tasks(layers.size(), base::worker_count(options.workers), [&](base::Share& share) {
    while (const auto number = share.take()) {
      Model only = model;
      QuantisationPlan part;
      part.nodes = layers[*number].nodes;
      quantise(only, part, ranges, {});
      Execution execution(runtime, only, outputs, inputs);
      double error = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        error += output_error(views_of(expected[i]), execution.run(values[i]), head);
      }
      result[*number] = {layers[*number].node, "Conv",
                         error / static_cast<double>(std::max<std::size_t>(values.size(), 1)),
                         false};
      ++done;
      if (share.worker() == 0 && options.on_progress) options.on_progress(done, layers.size());
    }
  });
  if (options.on_progress) options.on_progress(layers.size(), layers.size());
  std::ranges::stable_sort(result, [](const LayerSensitivity& left, const LayerSensitivity& right) {
    return left.error > right.error;
  });
  return result;
}

}  // namespace andon::model
