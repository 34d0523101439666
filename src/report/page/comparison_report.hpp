// SPDX-License-Identifier: Apache-2.0
// Two models on the same pictures: how alike, how good, how fast. JSON for programs, a page for
// people. Refers to what was measured; pure but for the pictures that the page embeds.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "evaluate/measure/benchmark.hpp"
#include "evaluate/score/agreement.hpp"
#include "report/page/differences.hpp"
#include "report/page/evaluation_report.hpp"

namespace andon::report {

[[nodiscard]] base::json::object to_json(const base::Latency& latency);
[[nodiscard]] base::json::object to_json(const evaluate::StageLatency& latency);
[[nodiscard]] base::json::object to_json(const evaluate::Agreement& agreement);

// One of the two. `detections` has an entry a picture, class ids are those of `labels`.
struct ComparedModel {
  ModelFacts facts;
  std::vector<evaluate::DetectionsOfImage> detections;
  evaluate::BenchmarkResult benchmark;
  std::optional<evaluate::AveragePrecision> precision;  // where the pictures are labelled
  std::optional<evaluate::WorkingPoint> point;
};

struct ComparisonReport {
  std::string tool;
  std::string runtime;
  std::vector<std::string> labels;
  std::span<const base::fs::path> files;
  std::string labels_file;  // empty where there are none
  std::array<ComparedModel, 2> models;
  evaluate::Agreement agreement;
  double latency_ratio = 1;  // the second's to the first's, median over pictures
  std::vector<std::string> warnings;

  // How much mAP50-95 the second lost; nothing without labels.
  [[nodiscard]] std::optional<double> map_drop() const;
  [[nodiscard]] Differences differences() const;
};

[[nodiscard]] base::json::object to_json(const ComparisonReport& report);
[[nodiscard]] std::string to_html(const ComparisonReport& report);
[[nodiscard]] std::string to_text(const ComparisonReport& report);

}  // namespace andon::report
