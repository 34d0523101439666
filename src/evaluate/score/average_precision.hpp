// SPDX-License-Identifier: Apache-2.0
// Average precision and recall as COCO defines them: ten IoU thresholds (0.50 to 0.95), precision
// at 101 recalls, the best `max_detections` of each class and picture, crowds neither right nor
// wrong. The same figures as pycocotools on the same findings. Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {

inline constexpr std::size_t kIouThresholds = 10;
inline constexpr std::size_t kRecallPoints = 101;

struct AveragePrecisionOptions {
  std::size_t max_detections = 100;
};

// Nothing where there is no object to find.
struct ClassPrecision {
  std::size_t objects = 0;  // crowds left out
  std::size_t findings = 0;
  std::optional<double> map50_95;
  std::optional<double> map50;
  std::optional<double> map75;
  std::optional<double> recall;  // the highest, mean over the IoU thresholds
  // Precision at recall 0.00, 0.01, ... 1.00; empty where there is no object.
  std::vector<double> precision_at_recall50;  // at IoU 0.50
};

struct AreaPrecision {
  std::optional<double> map50_95;
  std::optional<double> recall;
};

// Means over the classes that have objects.
struct AveragePrecision {
  std::optional<double> map50_95;
  std::optional<double> map50;
  std::optional<double> map75;
  // With the best 1, 10 and max_detections findings of each class and picture.
  std::array<std::optional<double>, 3> recall;
  // Objects of less than 32x32 pixels, up to 96x96, and larger.
  AreaPrecision small;
  AreaPrecision medium;
  AreaPrecision large;
  std::vector<ClassPrecision> classes;  // one a category
};

// `findings` has one entry a picture of `dataset`; more or fewer is a mistake of the caller
// (internal).
[[nodiscard]] AveragePrecision average_precision(const Dataset& dataset,
                                                 const std::vector<Findings>& findings,
                                                 const AveragePrecisionOptions& options = {});

}  // namespace andon::evaluate
