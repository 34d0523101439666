// SPDX-License-Identifier: Apache-2.0
// How good a model is on labelled pictures, as JSON for programs and a page for people. Refers to
// what was measured; pure but for the pictures that the page embeds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "evaluate/score/average_precision.hpp"
#include "evaluate/score/working_point.hpp"

namespace andon::report {

// What a model file is.
struct ModelFacts {
  std::string name;
  std::string digest;  // "sha256:<hex>"
  std::size_t bytes = 0;
  vision::Size input;
  std::size_t classes = 0;
};
[[nodiscard]] base::json::object to_json(const ModelFacts& model);

struct EvaluationReport {
  std::string tool;                 // "andon 0.1.0"
  std::string runtime;              // ONNX Runtime's version; empty where nothing was run
  std::optional<ModelFacts> model;  // nothing where the findings came out of a file
  std::string findings_file;
  std::string labels_file;
  const evaluate::Dataset& dataset;
  const std::vector<evaluate::Findings>& findings;
  evaluate::AveragePrecision precision;
  evaluate::WorkingPoint point;
  double suppression_iou = 0;  // 0: not known
  std::size_t max_detections = 100;
};

// A picture as a file beside the JSON, so that a report that is moved keeps it.
struct ReportPicture {
  std::string place;  // relative to the JSON's folder; empty: its file cannot be read any more
  std::string jpeg;
};
// Those with most mistakes, small; one for each of the JSON's "worstImages". `files` are the
// dataset's pictures; none gives none.
[[nodiscard]] std::vector<ReportPicture> worst_pictures(const EvaluationReport& report,
                                                        std::span<const base::fs::path> files);

// `pictures` are named where they are: "worstImages": [{"picture": "pictures/1.jpg", ...}].
[[nodiscard]] base::json::object to_json(const EvaluationReport& report,
                                         std::span<const ReportPicture> pictures = {});
// The parts of it that other reports have too.
[[nodiscard]] base::json::object to_json(const evaluate::AveragePrecision& precision);
[[nodiscard]] base::json::object to_json(const evaluate::Rates& rates);

// `files` are the dataset's pictures, or empty for a page without them.
[[nodiscard]] std::string to_html(const EvaluationReport& report,
                                  std::span<const base::fs::path> files);

// For a terminal: a table of all classes, at most `max_classes` of them.
[[nodiscard]] std::string to_text(const EvaluationReport& report, std::size_t max_classes = 40);

}  // namespace andon::report
