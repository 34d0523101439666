// SPDX-License-Identifier: Apache-2.0
// What a model does at one confidence, as it runs on a device: how much of what it reports is
// right (precision), how much of what is there it reports (recall), what it takes for what, and
// in which pictures it errs. Findings count from a confidence above the chosen one, as
// vision::DetectionOptions has it. Pure; any thread.
#pragma once

#include <optional>
#include <vector>

#include "evaluate/labels/dataset.hpp"

namespace andon::evaluate {

struct WorkingPointOptions {
  double confidence = 0.25;
  double iou = 0.5;  // a finding is right if it covers an object of its class at least so well
};

struct Rates {
  std::size_t right = 0;
  std::size_t wrong = 0;   // findings where nothing of the class is
  std::size_t missed = 0;  // objects

  // Nothing where nothing was found, or nothing is there.
  [[nodiscard]] std::optional<double> precision() const;
  [[nodiscard]] std::optional<double> recall() const;
  // Zero where nothing is right; nothing where there is neither a finding nor an object.
  [[nodiscard]] std::optional<double> f1() const;
  Rates& operator+=(const Rates& other);
};

struct CurvePoint {
  double confidence = 0;  // findings above it count
  Rates rates;
};

struct ClassWorkingPoint {
  Rates rates;                     // at the chosen confidence
  std::optional<CurvePoint> best;  // of highest F1; its confidence lies between two scores
  std::vector<CurvePoint> curve;   // at confidence 0.00, 0.01, ... 0.99
};

// Rows: what was found, columns: what is there; the last of each is "nothing".
struct ConfusionMatrix {
  std::size_t classes = 0;
  std::vector<std::size_t> counts;  // (classes + 1)^2, row by row
  [[nodiscard]] std::size_t at(std::size_t found, std::size_t there) const {
    return counts[found * (classes + 1) + there];
  }
};

// One picture's mistakes at the chosen confidence.
struct ImageErrors {
  std::size_t image = 0;  // index into Dataset::images
  std::size_t missed = 0;
  std::size_t wrong = 0;
  double confidence_in_wrong = 0;  // the sum, to put the surest mistakes first
  [[nodiscard]] std::size_t total() const { return missed + wrong; }
};

struct WorkingPoint {
  WorkingPointOptions options;
  Rates rates;  // all classes together
  std::optional<CurvePoint> best;
  std::vector<CurvePoint> curve;
  std::vector<ClassWorkingPoint> classes;  // one a category
  ConfusionMatrix confusion;
  std::vector<ImageErrors> images;         // in the dataset's order
  std::size_t images_without_objects = 0;  // nothing labelled, crowds included
  std::size_t false_alarm_images = 0;      // of those, with a finding
};

[[nodiscard]] WorkingPoint working_point(const Dataset& dataset,
                                         const std::vector<Findings>& findings,
                                         const WorkingPointOptions& options = {});

// Pictures with mistakes, worst first, at most `count`.
[[nodiscard]] std::vector<ImageErrors> worst_images(const WorkingPoint& point, std::size_t count);

// One picture's findings above the confidence, and its objects, each right or wrong: for pictures
// of mistakes.
struct ImageVerdict {
  Findings findings;           // above the confidence; those in a crowd are left out
  std::vector<bool> is_right;  // one a finding
  std::vector<bool> is_found;  // one an object; true for crowds
};
[[nodiscard]] ImageVerdict judge_image(const Dataset& dataset, std::size_t image,
                                       const Findings& findings,
                                       const WorkingPointOptions& options);

}  // namespace andon::evaluate
