// SPDX-License-Identifier: Apache-2.0
// The whole way from a trained model to one that is fit for a small device: clean-up, eight bits,
// the head cut off, and the gate that has to hold. Blocks the caller; nothing is written to disk.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/graph/model.hpp"
#include "model/quantise/calibration.hpp"
#include "model/quantise/optimization_report.hpp"
#include "model/quantise/quantise.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

enum class Weights { int8, float16, float32 };
enum class HeadTreatment { keep, cut };
enum class Sensitivity { when_needed, always };

// How good a model is, 1 at best: measured by whoever has the pictures and the truth.
struct Judgement {
  double score = 0;
  std::optional<double> map50;
  // Why nothing can be proven by comparing another model with this one. Empty: it can.
  std::string no_evidence;
};
struct Judge {
  std::string measure;  // "mAP50-95", "similarity"
  std::function<Judgement(const vision::ModelFile& model)> score;
};
enum class EmptyVerdict { refused, allowed };

struct OptimizationOptions {
  Weights weights = Weights::int8;
  HeadTreatment head = HeadTreatment::cut;
  CalibrationOptions calibration;
  double shared_concat_limit = 0;  // see QuantisationOptions
  int weight_bits = 8;
  std::set<std::string> in_float;  // names of nodes that stay in float whatever comes
  double max_drop = 0.01;
  std::optional<Judge> judge;  // without one there is no gate
  // Whether a gate may hold where the original's score is without evidence.
  EmptyVerdict empty_verdict = EmptyVerdict::refused;
  Sensitivity sensitivity = Sensitivity::when_needed;
  std::size_t latency_runs = 0;  // of the network before and after, in turns; 0: not measured
  std::optional<vision::Size> input_size;
  // Of the camera's pictures: the input is made to fit them. Needs the head to be cut off.
  std::optional<vision::Size> picture_size;
  // `step` is one of StepTime's; called from the calling thread.
  std::function<void(std::string_view step, std::size_t done, std::size_t total)> on_progress;
};

struct OptimizationResult {
  std::string bytes;       // of the optimised model; to be thrown away where the gate did not hold
  vision::ModelSpec spec;  // what has to be said beside it
  OptimizationReport report;
};

// `pictures` are only needed for eight bits. Throws invalid_argument and unsupported for models
// that cannot be optimised, failed_precondition where nothing in it can have eight bits.
[[nodiscard]] OptimizationResult optimize(const vision::OnnxRuntime& runtime,
                                          const vision::ModelFile& original,
                                          const std::optional<CalibrationSet>& pictures,
                                          const OptimizationOptions& options);

}  // namespace andon::model
