// SPDX-License-Identifier: Apache-2.0
#include "report/page/comparison_report.hpp"

#include <fmt/format.h>

#include "base/text/utf8.hpp"
#include "report/chart/chart.hpp"
#include "report/chart/html.hpp"

namespace andon::report {
namespace {

namespace json = base::json;
using base::Latency;
using evaluate::AveragePrecision;
using evaluate::StageLatency;
using evaluate::WorkingPoint;

// Rows of figures of both models: name, first, second, difference or ratio.
using Rows = std::vector<std::vector<std::string>>;

std::string signed_number(double value) {
  return fmt::format("{:+.4f}", value);
}

void add_row(Rows& rows, const std::string& name, std::optional<double> first,
             std::optional<double> second) {
  rows.push_back({name, number(first, 4), number(second, 4),
                  first && second ? signed_number(*second - *first) : ""});
}

void add_ratio_row(Rows& rows, const std::string& name, double first, double second, int digits) {
  rows.push_back({name, number(first, digits), number(second, digits),
                  first > 0 ? fmt::format("x{:.2f}", second / first) : ""});
}

void add_accuracy(Rows& rows, const ComparisonReport& report) {
  // No structured binding: clang 14 does not let a lambda have one.
  const auto& first = report.models[0];
  const auto& second = report.models[1];
  if (!first.precision || !second.precision || !first.point || !second.point) return;
  const auto map = [&](const std::string& name, std::optional<double> AveragePrecision::*figure) {
    add_row(rows, name, (*first.precision).*figure, (*second.precision).*figure);
  };
  map("mAP50-95", &AveragePrecision::map50_95);
  map("mAP50", &AveragePrecision::map50);
  map("mAP75", &AveragePrecision::map75);
  const auto rates = [](const ComparedModel& model) { return model.point->rates; };
  add_row(rows, "precision", rates(first).precision(), rates(second).precision());
  add_row(rows, "recall", rates(first).recall(), rates(second).recall());
  add_row(rows, "F1", rates(first).f1(), rates(second).f1());
}

void add_speed(Rows& rows, const ComparisonReport& report) {
  const StageLatency& first = report.models[0].benchmark.latency;
  const StageLatency& second = report.models[1].benchmark.latency;
  const auto stage = [&](const std::string& name, const Latency StageLatency::*of) {
    add_ratio_row(rows, name + ", median ms", (first.*of).p50_ms, (second.*of).p50_ms, 3);
  };
  stage("letterbox", &StageLatency::preprocess);
  stage("network", &StageLatency::inference);
  stage("boxes", &StageLatency::postprocess);
  stage("whole picture", &StageLatency::total);
  add_ratio_row(rows, "whole picture, 95th percentile ms", first.total.p95_ms, second.total.p95_ms,
                3);
  add_ratio_row(rows, "whole picture, 99th percentile ms", first.total.p99_ms, second.total.p99_ms,
                3);
  add_ratio_row(rows, "file, MB", static_cast<double>(report.models[0].facts.bytes) / 1e6,
                static_cast<double>(report.models[1].facts.bytes) / 1e6, 2);
}

Rows all_rows(const ComparisonReport& report) {
  Rows rows;
  add_accuracy(rows, report);
  add_speed(rows, report);
  return rows;
}

std::string curves(const ComparisonReport& report) {
  LineChart chart{.title = "F1 over confidence",
                  .x_label = "confidence",
                  .series = {},
                  .mark = report.agreement.options.confidence,
                  .mark_label = fmt::format("{:.2f}", report.agreement.options.confidence)};
  for (const std::size_t side : {0U, 1U}) {
    const ComparedModel& model = report.models[side];
    if (!model.point) return {};
    Series& series = chart.series.emplace_back();
    series.name = side == 0 ? "A" : "B";
    for (const auto& point : model.point->curve) {
      if (const auto f1 = point.rates.f1()) series.points.emplace_back(point.confidence, *f1);
    }
  }
  return heading("Confidence") + gallery({line_chart(chart)});
}

json::object model_json(const ComparedModel& model) {
  json::object object = to_json(model.facts);
  object["latencyMs"] = to_json(model.benchmark.latency);
  if (model.precision) object["averagePrecision"] = to_json(*model.precision);
  if (model.point) object["atConfidence"] = to_json(model.point->rates);
  return object;
}

}  // namespace

std::optional<double> ComparisonReport::map_drop() const {
  const auto& first = models[0].precision;
  const auto& second = models[1].precision;
  if (!first || !second || !first->map50_95 || !second->map50_95) return std::nullopt;
  return *first->map50_95 - *second->map50_95;
}

Differences ComparisonReport::differences() const {
  return {.labels = labels,
          .files = files,
          .detections = {models[0].detections, models[1].detections},
          .agreement = agreement};
}

json::object to_json(const Latency& latency) {
  return {{"runs", latency.count}, {"mean", latency.mean_ms}, {"min", latency.min_ms},
          {"p50", latency.p50_ms}, {"p90", latency.p90_ms},   {"p95", latency.p95_ms},
          {"p99", latency.p99_ms}, {"max", latency.max_ms}};
}

json::object to_json(const StageLatency& latency) {
  return {{"decode", to_json(latency.decode)},
          {"preprocess", to_json(latency.preprocess)},
          {"inference", to_json(latency.inference)},
          {"postprocess", to_json(latency.postprocess)},
          {"total", to_json(latency.total)}};
}

json::object to_json(const evaluate::Agreement& agreement) {
  return {{"confidence", agreement.options.confidence},
          {"iou", agreement.options.iou},
          {"similarity", agreement.similarity},
          {"first", agreement.left},
          {"second", agreement.right},
          {"paired", agreement.paired},
          {"both", agreement.both},
          {"alone", agreement.alone},
          {"meanIou", agreement.mean_iou},
          {"meanScoreDifference", agreement.mean_score_difference},
          {"maxScoreDifference", agreement.max_score_difference},
          {"imagesWithOtherCounts", agreement.images_with_other_counts},
          {"imagesWithOtherVerdict", agreement.images_with_other_verdict}};
}

json::object to_json(const ComparisonReport& report) {
  json::object object{{"tool", report.tool},
                      {"runtime", report.runtime},
                      {"images", report.files.size()},
                      {"first", model_json(report.models[0])},
                      {"second", model_json(report.models[1])},
                      {"agreement", to_json(report.agreement)},
                      {"latencyRatio", report.latency_ratio}};
  if (!report.labels_file.empty()) object["labels"] = base::to_valid_utf8(report.labels_file, "?");
  if (const auto drop = report.map_drop()) object["mAPDrop"] = *drop;
  object["mostDifferentImages"] = to_json(report.differences());
  object["warnings"] = json::array(report.warnings.begin(), report.warnings.end());
  return object;
}

std::string to_html(const ComparisonReport& report) {
  const auto& [first, second] = report.models;
  std::string body = paragraph(fmt::format("A: {}    B: {}", first.facts.name, second.facts.name));
  body += paragraph(summary(report.differences()));
  std::vector<Headline> figures{
      {"similarity", number(report.agreement.similarity), "1: the same findings"},
      {"time for a picture", fmt::format("x{:.2f}", report.latency_ratio), "B to A, median"},
      {"file",
       fmt::format("x{:.2f}", static_cast<double>(second.facts.bytes) /
                                  static_cast<double>(first.facts.bytes)),
       megabytes(first.facts.bytes) + " to " + megabytes(second.facts.bytes)}};
  if (const auto drop = report.map_drop()) {
    figures.insert(figures.begin(), {"mAP50-95", signed_number(-*drop),
                                     number(first.precision->map50_95, 4) + " to " +
                                         number(second.precision->map50_95, 4)});
  }
  body += headlines(figures);
  body += table({{"", "A", "B", "B against A"}, all_rows(report)});
  body += curves(report);
  body += to_html(report.differences());
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::size_t side : {0U, 1U}) {
    const ModelFacts& model = report.models[side].facts;
    rows.emplace_back(side == 0 ? "A" : "B",
                      fmt::format("{}, {}, input {}x{}, {}", model.name, megabytes(model.bytes),
                                  model.input.width, model.input.height, model.digest));
  }
  if (!report.labels_file.empty()) rows.emplace_back("labels", report.labels_file);
  rows.emplace_back("time",
                    fmt::format("{} runs of each, in turns on the same pictures, one thread",
                                first.benchmark.latency.total.count));
  rows.emplace_back("similarity",
                    fmt::format("findings of a class that overlap with IoU {} or more are paired; "
                                "each pair counts IoU x (1 - score difference), what is alone 0",
                                report.agreement.options.iou));
  rows.emplace_back("made by", report.tool + ", ONNX Runtime " + report.runtime);
  for (const std::string& warning : report.warnings) rows.emplace_back("warning", warning);
  body += heading("How it was measured") + facts(rows);
  return page(fmt::format("{} against {}", second.facts.name, first.facts.name), body);
}

std::string to_text(const ComparisonReport& report) {
  std::string text =
      fmt::format("A: {}\nB: {}\n\n{:<34}{:>10}{:>10}{:>10}\n", report.models[0].facts.name,
                  report.models[1].facts.name, "", "A", "B", "B vs A");
  for (const auto& row : all_rows(report)) {
    text += fmt::format("{:<34}{:>10}{:>10}{:>10}\n", row[0], row[1] == "\u2013" ? "-" : row[1],
                        row[2] == "\u2013" ? "-" : row[2], row[3]);
  }
  const evaluate::Agreement& agreement = report.agreement;
  text += fmt::format(
      "\nsimilarity {:.4f}: {} and {} findings above {:.2f}: {}\n"
      "pairs overlap with IoU {:.3f}, and their scores differ by {:.3f}; time for a picture "
      "x{:.2f}\n",
      agreement.similarity, agreement.left, agreement.right, agreement.options.confidence,
      counts_in_words(agreement), agreement.mean_iou, agreement.mean_score_difference,
      report.latency_ratio);
  return text;
}

}  // namespace andon::report
