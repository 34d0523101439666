// SPDX-License-Identifier: Apache-2.0
// Which layers suffer from eight bits: each is quantised alone and the outputs are compared with
// those of the float model on real pictures. Blocks the caller; takes about a second a layer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/quantise/calibration.hpp"
#include "model/quantise/head.hpp"
#include "model/quantise/quantise.hpp"

namespace andon::model {

// How far outputs have moved, 0: not at all. With a head: over the hundred anchors with the
// highest scores, the mean change of the best score and of the box (in parts of the input's larger
// side). Else the root of the squared differences in parts of the values.
[[nodiscard]] double output_error(std::span<const vision::TensorView> expected,
                                  std::span<const vision::TensorView> actual,
                                  const std::optional<Head>& head);

struct SensitivityOptions {
  std::size_t max_images = 4;
  std::optional<vision::Size> input_size;
  vision::Preprocessing preprocessing;
  int workers = 0;
  std::function<void(std::size_t done, std::size_t total)> on_progress;
};

// Worst first; the same error: in the order of the graph.
[[nodiscard]] std::vector<LayerSensitivity> measure_sensitivity(
    const vision::OnnxRuntime& runtime, const Model& model, const QuantisationPlan& plan,
    const std::map<std::string, Range>& ranges, const std::optional<Head>& head,
    const CalibrationSet& pictures, const SensitivityOptions& options);

}  // namespace andon::model
