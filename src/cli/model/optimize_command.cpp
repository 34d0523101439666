// SPDX-License-Identifier: Apache-2.0
#include "cli/model/optimize_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "cli/model/file.hpp"
#include "cli/terminal/subcommand.hpp"
#include "evaluate/labels/labelled_set.hpp"
#include "evaluate/measure/detect_all.hpp"
#include "evaluate/score/agreement.hpp"
#include "evaluate/score/average_precision.hpp"
#include "model/optimise/optimize.hpp"
#include "options/choice.hpp"
#include "options/usage_error.hpp"
#include "report/page/optimization_page.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
namespace json = base::json;

struct OptimizeOptions {
  fs::path model;
  fs::path out;
  fs::path calibrate;
  fs::path eval_images;
  fs::path eval_labels;
  std::string split = "val";
  vision::Folders folders = vision::Folders::this_one;
  fs::path report;
  fs::path onnxruntime;
  std::string weights = "int8";
  std::string head = "cut";
  std::string method = "min-max";
  double percentile = 99.99;
  std::size_t max_images = 100;
  double max_map_drop = 0.01;
  double min_similarity = 0.9;
  double shared_concat_limit = 0;
  int weight_bits = 8;
  std::size_t latency_runs = 20;
  std::vector<std::string> in_float;
  int input_size = 0;
  std::string picture_size;
  bool sensitivity = false;
  bool allow_empty = false;
  bool json = false;
};

// A line on the terminal that is written over; nothing where nobody looks.
class Progress {
 public:
  explicit Progress(bool is_quiet) : is_shown_(!is_quiet && isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (is_shown_) fmt::print(stderr, "\r\x1b[K");
  }
  void operator()(std::string_view step, std::size_t done, std::size_t total) const {
    if (!is_shown_) return;
    if (total > 1) {
      fmt::print(stderr, "\r\x1b[K{} {}/{}", base::escape_line(step), done, total);
    } else {
      fmt::print(stderr, "\r\x1b[K{}", base::escape_line(step));
    }
  }

 private:
  bool is_shown_;
};

struct EvaluationSet {
  std::vector<fs::path> files;
  std::optional<evaluate::Dataset> labels;
};

EvaluationSet read_evaluation_set(const OptimizeOptions& options) {
  EvaluationSet set;
  if (options.eval_labels.empty()) {
    if (!options.eval_images.empty()) {
      set.files = vision::picture_files(options.eval_images, options.folders);
    }
    return set;
  }
  evaluate::LabelledSet labelled = evaluate::read_labels(
      {.labels = options.eval_labels, .images = options.eval_images, .split = options.split});
  if (labelled.files.empty()) throw options::UsageError("--eval-labels needs --eval-images");
  set.labels = std::move(labelled.dataset);
  set.files = std::move(labelled.files);
  return set;
}

evaluate::DetectAllOptions detection_options(const OptimizeOptions& options) {
  evaluate::DetectAllOptions result;
  if (options.input_size > 0)
    result.input_size = vision::Size{options.input_size, options.input_size};
  return result;
}

// By labels: mAP50-95. Without: how alike what it finds is to what the original finds.
std::optional<model::Judge> make_judge(const vision::OnnxRuntime& runtime, const EvaluationSet& set,
                                       const OptimizeOptions& options) {
  if (set.files.empty()) return std::nullopt;
  const auto detect = [&runtime, &set,
                       detection = detection_options(options)](const vision::ModelFile& model) {
    evaluate::ModelDetections found = evaluate::detect_all(runtime, model, set.files, detection);
    evaluate::require_all_readable(found, set.files);
    return found;
  };
  if (set.labels) {
    return model::Judge{
        "mAP50-95", [detect, &set](const vision::ModelFile& file) {
          const auto figures = evaluate::average_precision(
              *set.labels, evaluate::findings_of(detect(file), *set.labels));
          if (!figures.map50_95) {
            throw Error(ErrorCode::invalid_argument, "the labels hold no object to find");
          }
          return model::Judgement{*figures.map50_95, figures.map50,
                                  *figures.map50_95 > 0
                                      ? ""
                                      : "the original's own mAP50-95 on these labels is 0, and "
                                        "nothing can fall below it"};
        }};
  }
  // The first model judged is the original: what the others are compared with.
  const auto original = std::make_shared<std::optional<evaluate::ModelDetections>>();
  return model::Judge{
      "similarity", [detect, original](const vision::ModelFile& file) {
        evaluate::ModelDetections found = detect(file);
        if (!*original) *original = found;
        std::vector<evaluate::DetectionsOfImage> left;
        std::vector<evaluate::DetectionsOfImage> right;
        for (const auto& image : (*original)->images) left.emplace_back(image.detections);
        for (const auto& image : found.images) right.emplace_back(image.detections);
        const evaluate::Agreement alike = evaluate::agreement(left, right);
        const bool has_findings = alike.paired + alike.alone > 0;
        return model::Judgement{
            alike.similarity, std::nullopt,
            has_findings
                ? std::string()
                : fmt::format("the original finds nothing above {} in the {} pictures, and "
                              "models that find nothing are always alike",
                              alike.options.confidence, found.images.size())};
      }};
}

// "1280x1024"
vision::Size parse_size(const std::string& text) {
  std::string_view rest = text;
  const auto width = base::parse_integer<int>(base::take_part(rest, 'x'), 1);
  const auto height = base::parse_integer<int>(rest, 1);
  if (width && height) return {*width, *height};
  throw options::UsageError(
      fmt::format("--picture-size: '{}' is not WIDTHxHEIGHT, such as 1280x1024", text));
}

model::OptimizationOptions optimization_options(const OptimizeOptions& options) {
  model::OptimizationOptions result;
  result.weights = options.weights == "int8"      ? model::Weights::int8
                   : options.weights == "float16" ? model::Weights::float16
                                                  : model::Weights::float32;
  result.head = options.head == "cut" ? model::HeadTreatment::cut : model::HeadTreatment::keep;
  result.calibration.method = model::parse_calibration_method(options.method);
  result.calibration.percentile = options.percentile / 100.0;
  result.calibration.max_images = options.max_images;
  result.shared_concat_limit = options.shared_concat_limit;
  result.weight_bits = options.weight_bits;
  result.in_float = {options.in_float.begin(), options.in_float.end()};
  result.latency_runs = options.latency_runs;
  if (options.allow_empty) result.empty_verdict = model::EmptyVerdict::allowed;
  result.sensitivity = options.sensitivity || !options.report.empty()
                           ? model::Sensitivity::always
                           : model::Sensitivity::when_needed;
  if (options.input_size > 0) {
    result.input_size = vision::Size{options.input_size, options.input_size};
  }
  if (!options.picture_size.empty()) result.picture_size = parse_size(options.picture_size);
  return result;
}

void print_report(const model::OptimizationReport& report) {
  const double share = report.before.bytes == 0 ? 0
                                                : 100.0 * static_cast<double>(report.after.bytes) /
                                                      static_cast<double>(report.before.bytes);
  fmt::print("{}: {} -> {} bytes ({:.1f} %), head {}\n", base::escape_line(report.model_name),
             report.before.bytes, report.after.bytes, share, report.head);
  for (const std::string& pass : report.passes) fmt::print("  {}\n", base::escape_line(pass));
  if (!report.device_graph.empty()) {
    fmt::print("  device graph: {}\n", base::escape_line(report.device_graph));
  }
  if (report.before.latency && report.after.latency) {
    fmt::print("latency of the network, median of {}: {:.1f} -> {:.1f} ms\n",
               report.before.latency->count, report.before.latency->p50_ms,
               report.after.latency->p50_ms);
  }
  if (report.before.score && report.after.score) {
    fmt::print("{}: {:.4f} -> {:.4f}, drop {:.4f} of at most {:.4f}: the gate {}\n", report.measure,
               *report.before.score, *report.after.score, report.drop, report.max_drop,
               report.gate_held ? "holds" : "DOES NOT HOLD");
    if (!report.no_evidence.empty()) fmt::print("no evidence: {}\n", report.no_evidence);
  } else {
    fmt::print("no gate: neither labels nor pictures to compare on were given\n");
  }
  const auto excluded = report.rounds.empty() ? 0 : report.rounds.back().excluded_layers;
  if (excluded > 0) fmt::print("{} sensitive layers left in float\n", excluded);
  double seconds = 0;
  for (const model::StepTime& it : report.times) seconds += it.seconds;
  fmt::print("took {:.1f} s:", seconds);
  for (const model::StepTime& it : report.times) fmt::print(" {} {:.1f}", it.step, it.seconds);
  fmt::print("\n");
}

// The report for people, with the pictures that the gate was judged on.
std::string report_page(const vision::OnnxRuntime& runtime, const OptimizeOptions& options,
                        const EvaluationSet& set, const vision::ModelFile& original,
                        const model::OptimizationResult& result) {
  if (set.files.empty()) return report::to_html(result.report, nullptr);
  const auto detect = [&](const vision::ModelFile& model) {
    return evaluate::detect_all(runtime, model, set.files, detection_options(options));
  };
  const evaluate::ModelDetections before = detect(original);
  const evaluate::ModelDetections after =
      detect(vision::model_in_memory(result.bytes, "result", result.spec));
  std::vector<evaluate::DetectionsOfImage> left;
  std::vector<evaluate::DetectionsOfImage> right;
  for (const auto& image : before.images) left.emplace_back(image.detections);
  for (const auto& image : after.images) right.emplace_back(image.detections);
  const evaluate::Agreement agreement = evaluate::agreement(left, right);
  const report::Differences differences{.names = {"before", "after"},
                                        .labels = before.model.labels,
                                        .files = set.files,
                                        .detections = {left, right},
                                        .agreement = agreement};
  return report::to_html(result.report, &differences);
}

fs::path description_of(const fs::path& model) {
  return fs::path(model).replace_extension(".yaml");
}

// What lies beside --out would be read as the new model's, in every program.
void require_no_other_description(const OptimizeOptions& options,
                                  const vision::ModelFile& original) {
  if (!original.spec_path.empty()) return;
  for (const char* ending : {".yaml", ".yml"}) {
    const fs::path path = fs::path(options.out).replace_extension(ending);
    if (!fs::exists(path)) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} would describe the new model, but {} has no such file: put it "
                            "beside that one too, or remove it",
                            path.string(), original.path.string()));
  }
}

// The description first: a device that sees the model finds it.
void write_model(const fs::path& out, const model::OptimizationResult& result) {
  const std::string description = vision::to_yaml(result.spec);
  if (!description.empty()) base::write_file_atomically(description_of(out), description);
  base::write_file_atomically(out, result.bytes);
}

int run_optimize(const OptimizeOptions& options) {
  const vision::OnnxRuntime runtime(options.onnxruntime);
  const vision::ModelFile original = vision::open_model(options.model);
  require_no_other_description(options, original);
  model::OptimizationOptions settings = optimization_options(options);
  std::optional<model::CalibrationSet> pictures;
  if (settings.weights == model::Weights::int8) {
    if (options.calibrate.empty()) {
      throw options::UsageError("--weights int8 needs --calibrate DIRECTORY");
    }
    pictures = model::choose_pictures(options.calibrate, options.max_images, options.folders);
  }
  const EvaluationSet set = read_evaluation_set(options);
  settings.judge = make_judge(runtime, set, options);
  settings.max_drop = set.labels ? options.max_map_drop : 1.0 - options.min_similarity;
  model::OptimizationResult result;
  {
    const Progress progress(options.json);
    settings.on_progress = progress;
    result = model::optimize(runtime, original, pictures, settings);
  }
  if (result.report.gate_held) write_model(options.out, result);
  json::object document = to_json(result.report);
  document["out"] = result.report.gate_held ? json::value(options.out.string()) : json::value();
  if (!options.report.empty()) {
    base::make_directories(options.report);
    base::write_file_atomically(options.report / "report.json", base::to_pretty_text(document));
    base::write_file_atomically(options.report / "report.html",
                                report_page(runtime, options, set, original, result));
  }
  if (options.json) {
    fmt::print("{}\n", base::json_text(document));
  } else {
    print_report(result.report);
  }
  if (result.report.gate_held) return 0;
  const std::string& why = result.report.no_evidence;
  fmt::print(stderr, "andon: the gate does not hold{}; {} was not written\n",
             why.empty() ? "" : fmt::format(": {} (--allow-empty takes it all the same)", why),
             options.out.string());
  return kGateFailed;
}

json::object to_json(const model::ModelFigures& figures) {
  json::object object{{"digest", figures.digest}, {"bytes", figures.bytes}};
  if (figures.score) object["score"] = *figures.score;
  if (figures.map50) object["map50"] = *figures.map50;
  if (figures.latency) {
    const base::Latency& it = *figures.latency;
    object["latencyMs"] = {{"runs", it.count}, {"mean", it.mean_ms}, {"p50", it.p50_ms},
                           {"p90", it.p90_ms}, {"p95", it.p95_ms},   {"p99", it.p99_ms}};
  }
  return object;
}

void add_optimize(CLI::App& parent, std::function<int()>& selected) {
  auto* command = parent.add_subcommand(
      "optimize", "Make a model smaller and faster, and prove that it is still good enough");
  const auto options = std::make_shared<OptimizeOptions>();
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--out", options->out, "File to write if the gate holds")->required();
  command->add_option("--calibrate", options->calibrate, "Directory of pictures for eight bits");
  command->add_option("--eval-images", options->eval_images, "Directory of pictures for the gate");
  command->add_option("--eval-labels", options->eval_labels,
                      "Their labels: COCO annotations, YOLO's data.yaml, or a folder of YOLO's "
                      "text files; without them the gate compares findings");
  add_split_option(*command, options->split);
  add_recursive_flag(*command, options->folders);
  command->add_option("--max-map-drop", options->max_map_drop, "The most that mAP50-95 may lose")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--min-similarity", options->min_similarity,
                   "Without labels: how alike the findings must be, 1 for the same")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_flag("--allow-empty", options->allow_empty,
                    "Let the gate hold where the original finds nothing or its mAP50-95 is 0");
  command->add_option("--weights", options->weights, "How weights are stored")
      ->check(options::one_of({"int8", "float16", "float32"}))
      ->capture_default_str();
  command->add_option("--head", options->head, "Box decoding: cut off or kept in float")
      ->check(options::one_of({"cut", "keep"}))
      ->capture_default_str();
  command->add_option("--calibration", options->method, "How ranges are chosen")
      ->check(options::one_of({"min-max", "moving-average", "percentile", "entropy"}))
      ->capture_default_str();
  command->add_option("--percentile", options->percentile, "Of values kept in range")
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str();
  command->add_option("--max-calibration-images", options->max_images, "At most so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option(
          "--share-concat", options->shared_concat_limit,
          "How much coarser a Concat's input may become to share its output's scale; 0: never")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  command
      ->add_option("--weight-bits", options->weight_bits,
                   "7 for processors without VNNI, whose 16-bit sums overflow with 8")
      ->check(CLI::Range(7, 8))
      ->capture_default_str();
  command->add_option("--keep-float", options->in_float, "Name of a node to leave in float");
  command->add_option("--input-size", options->input_size, "Side, for models without a fixed one")
      ->check(CLI::Range(32, 16'384));
  command->add_option("--picture-size", options->picture_size,
                      "WIDTHxHEIGHT of the camera's pictures: the input is made to fit them");
  command->add_option("--latency-runs", options->latency_runs, "Runs to time, 0 for none")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  command->add_flag("--sensitivity", options->sensitivity, "Measure each layer in any case");
  command->add_option("--report", options->report, "Directory for the report");
  command->add_option("--onnxruntime", options->onnxruntime,
                      "ONNX Runtime's library or its folder");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->callback(
      [options, &selected] { selected = [options] { return run_optimize(*options); }; });
}

}  // namespace

json::object to_json(const model::OptimizationReport& report) {
  json::object object{
      {"tool", report.tool},
      {"runtime", report.runtime},
      {"model", report.model_name},
      {"weights", report.weights},
      {"head", report.head},
      {"opset", {{"before", report.opset_before}, {"after", report.opset_after}}},
      {"nodes", {{"before", report.nodes_before}, {"after", report.nodes_after}}},
      {"before", to_json(report.before)},
      {"after", to_json(report.after)},
      {"gate",
       {{"measure", report.measure},
        {"maxDrop", report.max_drop},
        {"drop", report.drop},
        {"held", report.gate_held},
        {"noEvidence",
         report.no_evidence.empty() ? json::value() : json::value(report.no_evidence)}}},
      {"calibration",
       {{"method", report.calibration_method},
        {"images", report.calibration_images},
        {"digest", report.calibration_digest}}}};
  json::array passes;
  for (const std::string& it : report.passes) passes.emplace_back(it);
  object["passes"] = std::move(passes);
  if (!report.device_graph.empty()) object["deviceGraph"] = report.device_graph;
  json::array in_float;
  for (const auto& it : report.in_float) {
    in_float.push_back({{"node", it.node}, {"operation", it.operation}, {"reason", it.reason}});
  }
  object["inFloat"] = std::move(in_float);
  json::array layers;
  for (const auto& it : report.sensitivities) {
    layers.push_back({{"node", it.node},
                      {"operation", it.operation},
                      {"error", it.error},
                      {"excluded", it.is_excluded}});
  }
  object["sensitivities"] = std::move(layers);
  json::array rounds;
  for (const auto& it : report.rounds) {
    rounds.push_back(
        {{"excludedLayers", it.excluded_layers}, {"bytes", it.bytes}, {"score", it.score}});
  }
  object["rounds"] = std::move(rounds);
  json::object times;
  for (const auto& it : report.times) times[it.step] = it.seconds;
  object["seconds"] = std::move(times);
  return object;
}

void add_model_optimize_commands(CLI::App& app, std::function<int()>& selected) {
  CLI::App* model = noun(app, "model", "Models: register and approve, measure, make smaller");
  add_optimize(*model, selected);
}

}  // namespace andon::cli
