// SPDX-License-Identifier: Apache-2.0
#include "cli/model/compare_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/text/escape.hpp"
#include "cli/model/file.hpp"
#include "cli/model/optimize_command.hpp"
#include "cli/terminal/terminal.hpp"
#include "evaluate/labels/labelled_set.hpp"
#include "evaluate/measure/detect_all.hpp"
#include "options/usage_error.hpp"
#include "report/page/comparison_report.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kBenchmarkPictures = 64;

struct CompareOptions {
  std::vector<fs::path> models;
  fs::path images;
  fs::path labels;
  std::string split = "val";
  vision::Folders folders = vision::Folders::this_one;
  fs::path report;
  fs::path onnxruntime;
  std::string input_size;
  double confidence = 0.25;
  double iou = 0.7;
  std::size_t max_detections = 100;
  std::size_t runs = 100;
  int seconds = 20;
  int workers = 0;
  std::optional<double> max_map_drop;
  std::optional<double> min_similarity;
  bool allow_empty = false;
  bool json = false;
};

// The second model's detections with the first one's class ids, matched by name. A class that the
// first does not have gets an id of its own behind them.
void align_classes(std::vector<std::string>& labels, evaluate::ModelDetections& second,
                   std::vector<std::string>& warnings) {
  if (labels == second.model.labels) return;
  const std::size_t own = labels.size();
  std::vector<int> new_ids;
  std::size_t common = 0;
  for (const std::string& label : second.model.labels) {
    const auto found =
        std::find(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(own), label);
    const auto place = static_cast<std::size_t>(found - labels.begin());
    if (place < own) {
      ++common;
      new_ids.push_back(static_cast<int>(place));
    } else {
      new_ids.push_back(static_cast<int>(labels.size()));
      labels.push_back(label);
    }
  }
  if (common == 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the two models have no class in common: '{}' and '{}', ...",
                            labels.front(), second.model.labels.front()));
  }
  warnings.push_back(fmt::format("the models' classes differ: {} of {} and {} are common", common,
                                 own, second.model.labels.size()));
  for (evaluate::ImageDetections& image : second.images) {
    for (vision::Detection& detection : image.detections) {
      detection.class_id = new_ids.at(static_cast<std::size_t>(detection.class_id));
    }
  }
}

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options)
      : options_(options), runtime_(options.onnxruntime) {
    if (options.labels.empty()) {
      files_ = vision::picture_files(options.images, options.folders);
    } else {
      evaluate::LabelledSet set = evaluate::read_labels({.labels = options.labels,
                                                         .images = options.images,
                                                         .split = options.split,
                                                         .workers = options.workers});
      dataset_ = std::move(set.dataset);
      files_ = std::move(set.files);
    }
    if (files_.empty()) throw options::UsageError("--images is missing: the folder of pictures");
    for (const fs::path& path : options.models) models_.push_back(vision::open_model(path));
  }

  report::ComparisonReport run() {
    report::ComparisonReport report;
    report.tool = tool_name();
    report.runtime = runtime_.version();
    report.files = files_;
    report.labels_file = options_.labels.string();
    if (dataset_) report.warnings = dataset_->warnings;
    for (std::size_t i = 0; i < 2; ++i) {
      detections_.push_back(detect(models_[i]));
      report.models[i].facts = facts_of(models_[i], detections_[i].model);
      if (dataset_) measure_accuracy(report.models[i], detections_[i]);
    }
    report.labels = detections_[0].model.labels;
    align_classes(report.labels, detections_[1], report.warnings);
    for (std::size_t i = 0; i < 2; ++i) {
      for (const auto& image : detections_[i].images) {
        report.models[i].detections.emplace_back(image.detections);
      }
    }
    report.agreement = evaluate::agreement(report.models[0].detections, report.models[1].detections,
                                           {.confidence = options_.confidence});
    if (report.agreement.paired + report.agreement.alone == 0) {
      report.warnings.emplace_back(
          "neither model found anything above the confidence: their likeness means nothing");
    }
    measure_speed(report);
    return report;
  }

  [[nodiscard]] Terminal& terminal() { return terminal_; }

 private:
  evaluate::ModelDetections detect(const vision::ModelFile& model) {
    evaluate::DetectAllOptions run;
    run.detection.iou = static_cast<float>(options_.iou);
    run.detection.max_detections = std::max(run.detection.max_detections, options_.max_detections);
    run.input_size = parse_input_size(options_.input_size);
    run.workers = options_.workers;
    run.on_progress = [&](std::size_t done, std::size_t total) {
      terminal_.progress_count(model.name, done, total);
    };
    auto found = evaluate::detect_all(runtime_, model, files_, run);
    evaluate::require_all_readable(found, files_);
    return found;
  }

  void measure_accuracy(report::ComparedModel& model, const evaluate::ModelDetections& found) {
    const auto findings = evaluate::findings_of(found, *dataset_);
    model.precision = evaluate::average_precision(*dataset_, findings,
                                                  {.max_detections = options_.max_detections});
    model.point = evaluate::working_point(*dataset_, findings, {.confidence = options_.confidence});
  }

  void measure_speed(report::ComparisonReport& report) {
    std::vector<std::string> pictures;
    const std::size_t count = std::min(kBenchmarkPictures, files_.size());
    for (std::size_t i = 0; i < count; ++i) {
      pictures.push_back(base::read_file(files_[i * files_.size() / count]));
    }
    evaluate::BenchmarkOptions run;
    run.runs = options_.runs;
    run.time_limit = std::chrono::seconds(options_.seconds);
    run.input_size = parse_input_size(options_.input_size);
    run.detection.confidence = static_cast<float>(options_.confidence);
    run.on_progress = [&](std::size_t done, std::size_t total) {
      terminal_.progress_count("runs in turns", done, total);
    };
    auto results = evaluate::benchmark(runtime_, models_, pictures, run);
    report.latency_ratio = evaluate::median_ratio(results[0].total_ms, results[1].total_ms);
    for (std::size_t i = 0; i < 2; ++i) report.models[i].benchmark = std::move(results[i]);
  }

  const CompareOptions& options_;
  Terminal terminal_;
  vision::OnnxRuntime runtime_;
  std::optional<evaluate::Dataset> dataset_;
  std::vector<fs::path> files_;
  std::vector<vision::ModelFile> models_;
  std::vector<evaluate::ModelDetections> detections_;
};

// The gates that were asked for; a sentence for each that does not hold.
std::vector<std::string> broken_gates(const CompareOptions& options,
                                      const report::ComparisonReport& report) {
  std::vector<std::string> broken;
  if (options.max_map_drop) {
    const auto drop = report.map_drop();
    if (!drop) {
      broken.emplace_back("--max-map-drop needs --labels with objects");
    } else if (!options.allow_empty && !(report.models[0].precision->map50_95 > 0.0)) {
      broken.emplace_back("the first model's own mAP50-95 is 0, and nothing can fall below it");
    } else if (*drop > *options.max_map_drop) {
      broken.push_back(fmt::format("mAP50-95 falls by {:.4f}, --max-map-drop allows {}", *drop,
                                   *options.max_map_drop));
    }
  }
  const bool is_empty = report.agreement.paired + report.agreement.alone == 0;
  if (options.min_similarity && is_empty && !options.allow_empty) {
    broken.emplace_back("neither model found anything above the confidence");
  } else if (options.min_similarity && report.agreement.similarity < *options.min_similarity) {
    broken.push_back(fmt::format("the similarity is {:.4f}, --min-similarity asks for {}",
                                 report.agreement.similarity, *options.min_similarity));
  }
  return broken;
}

int compare_models(const CompareOptions& options) {
  if (options.images.empty() && options.labels.empty()) {
    throw options::UsageError("--images is missing: the folder of pictures");
  }
  if (options.max_map_drop && options.labels.empty()) {
    throw options::UsageError("--max-map-drop needs --labels: mAP is measured against them");
  }
  Comparison comparison(options);
  const report::ComparisonReport report = comparison.run();
  const std::vector<std::string> broken = broken_gates(options, report);
  base::json::object json = report::to_json(report);
  if (options.max_map_drop || options.min_similarity) {
    json["gate"] = {{"held", broken.empty()},
                    {"reasons", base::json::array(broken.begin(), broken.end())}};
  }
  for (const std::string& warning : report.warnings) comparison.terminal().warning(warning);
  if (!options.report.empty()) {
    base::make_directories(options.report);
    base::write_file_atomically(options.report / "report.json", base::to_pretty_text(json));
    base::write_file_atomically(options.report / "report.html", report::to_html(report));
    comparison.terminal().step(
        fmt::format("Report: {}", (options.report / "report.html").string()));
  }
  fmt::print("{}", options.json ? base::json_text(json) + "\n"
                                : base::escape_controls(report::to_text(report)));
  if (broken.empty()) return 0;
  fmt::print(stderr, "andon: {}\n", fmt::join(broken, "; "));
  return kGateFailed;
}

}  // namespace

void add_model_compare_command(CLI::App& model, std::function<int()>& selected) {
  auto* compare = model.add_subcommand("compare", "Two models on the same pictures");
  const auto options = std::make_shared<CompareOptions>();
  compare->add_option("models", options->models, "ONNX detectors: the one in use, the candidate")
      ->type_name("A B")
      ->expected(2)
      ->required();
  compare->add_option("--images", options->images, "Folder of pictures")->type_name("DIR");
  add_recursive_flag(*compare, options->folders);
  compare
      ->add_option("--labels", options->labels,
                   "For accuracy: COCO annotations, YOLO's data.yaml, or a folder of YOLO's "
                   "text files")
      ->type_name("FILE|DIR");
  add_split_option(*compare, options->split);
  compare->add_option("--confidence", options->confidence, "What is above it is compared")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  compare
      ->add_option("--iou", options->iou,
                   "Suppression: of two boxes that overlap more, one is kept")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  compare
      ->add_option("--max-detections", options->max_detections,
                   "The best so many of each class and picture count for average precision")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  compare
      ->add_option("--max-map-drop", options->max_map_drop,
                   "Exit code 20 where B's mAP50-95 is lower by more")
      ->check(CLI::Range(-1.0, 1.0));
  compare
      ->add_option("--min-similarity", options->min_similarity,
                   "Exit code 20 where the findings are less alike (1: the same)")
      ->check(CLI::Range(0.0, 1.0));
  compare->add_flag("--allow-empty", options->allow_empty,
                    "Let gates hold where nothing is found or A's mAP50-95 is 0");
  compare->add_option("--runs", options->runs, "For latency, of each model, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  compare->add_option("--seconds", options->seconds, "For latency, at most")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  compare->add_option("--workers", options->workers, "Pictures at a time; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  compare->add_option("--input-size", options->input_size,
                      "SIDE or WIDTHxHEIGHT, for models whose input is not fixed");
  compare->add_option("--report", options->report, "Write report.html and report.json there")
      ->type_name("DIR");
  compare->add_option("--onnxruntime", options->onnxruntime, "ONNX Runtime: library or folder")
      ->type_name("PATH");
  compare->add_flag("--json", options->json, "Print one JSON object");
  compare->callback(
      [options, &selected] { selected = [options] { return compare_models(*options); }; });
}

}  // namespace andon::cli
