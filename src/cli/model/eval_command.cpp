// SPDX-License-Identifier: Apache-2.0
#include "cli/model/eval_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/text/escape.hpp"
#include "cli/model/file.hpp"
#include "cli/model/optimize_command.hpp"
#include "cli/terminal/terminal.hpp"
#include "evaluate/labels/coco.hpp"
#include "evaluate/labels/labelled_set.hpp"
#include "evaluate/measure/detect_all.hpp"
#include "evaluate/score/average_precision.hpp"
#include "evaluate/score/working_point.hpp"
#include "options/usage_error.hpp"
#include "report/page/evaluation_report.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;

struct EvalOptions {
  fs::path model;
  fs::path images;
  fs::path labels;
  std::string split = "val";
  fs::path detections;
  fs::path save_detections;
  fs::path report;
  fs::path onnxruntime;
  std::string input_size;
  double confidence = 0.25;
  double iou = 0.7;
  double match_iou = 0.5;
  std::size_t max_detections = 100;
  std::optional<double> min_map;
  std::optional<int> timeout_seconds;
  int workers = 0;
  bool json = false;
};

void require_sensible(const EvalOptions& options) {
  const bool has_model = !options.model.empty();
  if (has_model == !options.detections.empty()) {
    throw options::UsageError("give either a model, or --detections with what one has found");
  }
}

// YOLO's labels tell where their pictures are, COCO's do not.
evaluate::LabelledSet read_set(const EvalOptions& options) {
  evaluate::LabelledSet set = evaluate::read_labels({.labels = options.labels,
                                                     .images = options.images,
                                                     .split = options.split,
                                                     .workers = options.workers});
  if (!options.model.empty() && set.files.empty()) {
    throw options::UsageError("--images is missing: the folder of the pictures");
  }
  return set;
}

// What was found, and by what.
struct Found {
  std::vector<evaluate::Findings> findings;
  std::vector<fs::path> files;  // empty where there are no pictures
  std::optional<report::ModelFacts> model;
  std::string runtime;
};

// Names the option by which there may be more time.
template <typename Detect>
auto detect_in_time(const EvalOptions& options, const Detect& detect) {
  try {
    return detect();
  } catch (base::Error& error) {
    if (error.code() == base::ErrorCode::deadline_exceeded) {
      error.with_context(fmt::format("--timeout {}", options.timeout_seconds.value_or(0)));
    }
    throw;
  }
}

Found run_model(const EvalOptions& options, const evaluate::LabelledSet& set, Terminal& terminal) {
  Found found;
  found.files = set.files;
  const vision::ModelFile model = vision::open_model(options.model);
  const vision::OnnxRuntime runtime(options.onnxruntime);
  evaluate::DetectAllOptions run;
  run.detection.iou = static_cast<float>(options.iou);
  run.detection.max_detections = std::max(run.detection.max_detections, options.max_detections);
  run.input_size = parse_input_size(options.input_size);
  run.workers = options.workers;
  run.on_progress = [&](std::size_t done, std::size_t total) {
    terminal.progress_count("pictures", done, total);
  };
  if (options.timeout_seconds) {
    run.deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(*options.timeout_seconds);
  }
  const auto detections = detect_in_time(
      options, [&] { return evaluate::detect_all(runtime, model, found.files, run); });
  evaluate::require_all_readable(detections, found.files);
  found.findings = evaluate::findings_of(detections, set.dataset);
  found.model = facts_of(model, detections.model);
  found.runtime = runtime.version();
  return found;
}

Found read_findings(const EvalOptions& options, const evaluate::LabelledSet& set) {
  Found found;
  found.findings = evaluate::read_coco_results(options.detections, set.dataset);
  found.files = set.files;
  return found;
}

void write_pictures(const base::fs::path& folder,
                    const std::vector<report::ReportPicture>& pictures) {
  for (const report::ReportPicture& picture : pictures) {
    if (picture.place.empty()) continue;
    base::make_directories((folder / picture.place).parent_path());
    base::write_file_atomically(folder / picture.place, picture.jpeg);
  }
}

int evaluate_model(const EvalOptions& options) {
  require_sensible(options);
  Terminal terminal;
  const evaluate::LabelledSet set = read_set(options);
  const evaluate::Dataset& dataset = set.dataset;
  for (const std::string& warning : dataset.warnings) terminal.warning(warning);
  if (dataset.count_truths() == 0) {
    terminal.warning("no object is labelled: there is no average precision, only false alarms");
  }
  const Found found =
      options.detections.empty() ? run_model(options, set, terminal) : read_findings(options, set);
  report::EvaluationReport report{
      .tool = tool_name(),
      .runtime = found.runtime,
      .model = found.model,
      .findings_file = options.detections.string(),
      .labels_file = options.labels.string(),
      .dataset = dataset,
      .findings = found.findings,
      .precision = evaluate::average_precision(dataset, found.findings,
                                               {.max_detections = options.max_detections}),
      .point = evaluate::working_point(
          dataset, found.findings, {.confidence = options.confidence, .iou = options.match_iou}),
      .suppression_iou = found.model ? options.iou : 0,
      .max_detections = options.max_detections};
  std::vector<report::ReportPicture> pictures;
  if (!options.report.empty()) pictures = report::worst_pictures(report, found.files);
  base::json::object json = report::to_json(report, pictures);
  const double map = report.precision.map50_95.value_or(0);
  const bool is_good_enough = !options.min_map || map >= *options.min_map;
  if (options.min_map) {
    json["gate"] = {{"minMAP", *options.min_map}, {"held", is_good_enough}};
  }
  if (!options.save_detections.empty()) {
    base::write_file_atomically(options.save_detections,
                                evaluate::to_coco_results(dataset, found.findings));
  }
  if (!options.report.empty()) {
    base::make_directories(options.report);
    write_pictures(options.report, pictures);
    base::write_file_atomically(options.report / "report.json", base::to_pretty_text(json));
    base::write_file_atomically(options.report / "report.html",
                                report::to_html(report, found.files));
    terminal.step(fmt::format("Report: {}", (options.report / "report.html").string()));
  }
  fmt::print("{}", options.json ? base::json_text(json) + "\n"
                                : base::escape_controls(report::to_text(report)));
  if (is_good_enough) return 0;
  fmt::print(stderr, "andon: mAP50-95 is {:.4f}, --min-map asks for {}\n", map, *options.min_map);
  return kGateFailed;
}

}  // namespace

void add_model_eval_command(CLI::App& model, std::function<int()>& selected) {
  auto* eval =
      model.add_subcommand("eval", "How good a model is on labelled pictures (COCO, YOLO)");
  const auto options = std::make_shared<EvalOptions>();
  eval->add_option("model", options->model, "ONNX detector")->type_name("MODEL");
  eval->add_option("--images", options->images, "Folder of the pictures that the labels name")
      ->type_name("DIR");
  eval->add_option("--labels", options->labels,
                   "COCO annotations, YOLO's data.yaml, or a folder of YOLO's text files")
      ->type_name("FILE|DIR")
      ->required();
  add_split_option(*eval, options->split);
  eval->add_option("--detections", options->detections,
                   "Evaluate these COCO results instead of running a model")
      ->type_name("FILE");
  eval->add_option("--save-detections", options->save_detections,
                   "Write what was found as COCO results")
      ->type_name("FILE");
  eval->add_option("--confidence", options->confidence,
                   "Precision, recall, F1 and mistakes are of findings above it")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  eval->add_option("--iou", options->iou,
                   "Suppression: of two boxes that overlap more, one is kept")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  eval->add_option("--match-iou", options->match_iou,
                   "A finding that covers an object by so much is right (not for mAP)")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
  eval->add_option("--max-detections", options->max_detections,
                   "The best so many of each class and picture count for average precision")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  eval->add_option("--min-map", options->min_map, "Exit code 20 where mAP50-95 is lower")
      ->check(CLI::Range(0.0, 1.0));
  eval->add_option("--input-size", options->input_size,
                   "SIDE or WIDTHxHEIGHT, for a model whose input is not fixed");
  eval->add_option("--workers", options->workers, "Pictures at a time; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  eval->add_option("--timeout", options->timeout_seconds, "Give up after so many seconds")
      ->check(CLI::Range(1, 7 * 24 * 3600));
  eval->add_option("--report", options->report,
                   "Write report.html, report.json and the pictures with most mistakes there")
      ->type_name("DIR");
  eval->add_option("--onnxruntime", options->onnxruntime, "ONNX Runtime: library or folder")
      ->type_name("PATH");
  eval->add_flag("--json", options->json, "Print one JSON object");
  eval->callback(
      [options, &selected] { selected = [options] { return evaluate_model(*options); }; });
}

}  // namespace andon::cli
