// SPDX-License-Identifier: Apache-2.0
#include "model/optimise/optimize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error/error.hpp"
#include "model/graph/cleanup.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"
#include "model/optimise/embed.hpp"
#include "model/quantise/device_graph.hpp"
#include "model/quantise/head.hpp"
#include "model/quantise/sensitivity.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/detector.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kTool = "andon " ANDON_VERSION;

class Optimizer {
 public:
  Optimizer(const vision::OnnxRuntime& runtime, const vision::ModelFile& file,
            const std::optional<CalibrationSet>& pictures, const OptimizationOptions& options)
      : runtime_(runtime),
        file_(file),
        original_(Model::parse(file)),
        pictures_(pictures),
        options_(options),
        model_(original_) {}

  OptimizationResult run() {
    describe_before();
    timed("clean up", [&] { report_.passes = clean_up(runtime_, model_, options_.input_size); });
    timed("head", [&] { recognise_head(); });
    std::string bytes;
    if (options_.weights == Weights::int8) {
      timed("calibrate", [&] { prepare_ranges(); });
      bytes = quantise_until_good();
    } else {
      bytes = finish(model_, {});
      judge(bytes, 0);
    }
    report_.after.digest = "sha256:" + trust::sha256_hex(bytes);
    report_.after.bytes = bytes.size();
    if (options_.latency_runs > 0) timed("latency", [&] { measure_latency(bytes); });
    return {std::move(bytes), spec_after(), std::move(report_)};
  }

 private:
  template <typename Step>
  void timed(std::string_view name, const Step& step) {
    if (options_.on_progress) options_.on_progress(name, 0, 1);
    const auto start = SteadyClock::now();
    step();
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    const auto known = std::ranges::find(report_.times, name, &StepTime::step);
    if (known == report_.times.end()) {
      report_.times.push_back({std::string(name), seconds});
    } else {
      known->seconds += seconds;
    }
    if (options_.on_progress) options_.on_progress(name, 1, 1);
  }

  void describe_before() {
    report_.tool = kTool;
    report_.runtime = runtime_.version();
    report_.model_name = original_.name();
    report_.weights = options_.weights == Weights::int8      ? "int8"
                      : options_.weights == Weights::float16 ? "float16"
                                                             : "float32";
    report_.opset_before = original_.opset();
    report_.nodes_before = static_cast<std::size_t>(original_.graph().node_size());
    report_.before.digest = original_.digest();
    report_.before.bytes = original_.file_bytes();
    report_.max_drop = options_.max_drop;
    report_.measure = options_.judge ? options_.judge->measure : "none";
    if (pictures_) {
      report_.calibration_digest = pictures_->digest;
      report_.calibration_images = pictures_->files.size();
      report_.calibration_method = to_string(options_.calibration.method);
    }
    if (options_.judge) {
      timed("gate", [&] {
        const Judgement judgement = options_.judge->score(file_);
        report_.before.score = judgement.score;
        report_.before.map50 = judgement.map50;
        report_.no_evidence = judgement.no_evidence;
      });
    }
  }

  void recognise_head() {
    HeadSearch search = find_head(runtime_, model_, options_.input_size);
    head_ = std::move(search.head);
    if (!head_) {
      report_.head = "not recognised (" + search.reason + "); what follows the last convolutions " +
                     "is kept in float";
    } else {
      report_.head =
          options_.head == HeadTreatment::cut ? "yolov8_dfl, cut off" : "yolov8_dfl, kept in float";
    }
    if (options_.picture_size) choose_input();
  }

  void choose_input() {
    if (!head_ || options_.head != HeadTreatment::cut) {
      throw Error(ErrorCode::failed_precondition,
                  fmt::format("{}: only a model whose head is cut off can be given another input; "
                              "its head: {}",
                              original_.name(), report_.head));
    }
    const ModelInput before = inputs_of(model_, options_.input_size).front();
    fitted_ = fitted_input(*head_, *options_.picture_size);
    report_.passes.push_back(fmt::format("the input fits pictures of {}x{}: {}x{} instead of {}x{}",
                                         options_.picture_size->width,
                                         options_.picture_size->height, fitted_->width,
                                         fitted_->height, before.shape[3], before.shape[2]));
  }

  // The part that is left may still hold a size that somebody wrote into it.
  void run_once(const Model& model) {
    try {
      Execution execution(runtime_, model, output_names(model), inputs_of(model, std::nullopt));
      static_cast<void>(execution.run_random(1));
    } catch (const Error& error) {
      throw Error(
          ErrorCode::failed_precondition,
          fmt::format("{}: does not run with an input of {}x{}; leave --picture-size out: {}",
                      original_.name(), fitted_->width, fitted_->height, error.message()));
    }
  }

  void prepare_ranges() {
    if (!pictures_) {
      throw Error(ErrorCode::invalid_argument, "eight bits need pictures to calibrate with");
    }
    const Tail tail = find_tail(model_);
    plan_ = plan_quantisation(model_, tail, observe(runtime_, model_, options_.input_size));
    std::erase_if(plan_.nodes, [&](const std::string& key) { return is_asked_for(key); });
    if (plan_.nodes.empty()) {
      throw Error(ErrorCode::failed_precondition,
                  fmt::format("{}: nothing in it can have eight bits", original_.name()));
    }
    find_preprocessing();
    CalibrationOptions calibration = options_.calibration;
    calibration.preprocessing = preprocessing_;
    calibration.input_size = options_.input_size;
    if (options_.on_progress && !calibration.on_progress) {
      calibration.on_progress = [&](std::size_t done, std::size_t total) {
        options_.on_progress("calibrate", done, total);
      };
    }
    ranges_ = calibrate(runtime_, model_, plan_.tensors, *pictures_, calibration);
    keep_pixels_exact();
    complete_ranges(model_, plan_, ranges_);
  }

  // Where the network's input is a byte over something, eight bits hold that byte.
  void keep_pixels_exact() {
    if (!has_plain_pixels()) return;
    for (const auto& input : model_.graph().input()) {
      const auto range = ranges_.find(input.name());
      if (range != ranges_.end()) range->second = {0, 255 / preprocessing_.divisor};
    }
  }
  [[nodiscard]] bool has_plain_pixels() const {
    const vision::Preprocessing plain;
    return preprocessing_.mean == plain.mean && preprocessing_.deviation == plain.deviation &&
           model_.graph().input_size() == 1;
  }

  // How a device will make the network's input of a picture: eight bits must reach those values.
  void find_preprocessing() {
    try {
      const vision::Detector detector(runtime_, file_, {.input_size = options_.input_size});
      preprocessing_ = detector.description().preprocessing;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      // What other programs than andon-inspect run may be optimised too.
      preprocessing_ =
          vision::preprocessing_as_said({}, file_.spec, picture_size(model_, options_.input_size));
      const std::string& message = error.message();
      report_.passes.push_back(
          "calibrated with pictures as YOLO takes them, but for what is said beside the model: " +
          message.substr(0, message.find(". Found:")));
    }
  }

  // What is said beside the model, less what is no longer so.
  [[nodiscard]] vision::ModelSpec spec_after() const {
    vision::ModelSpec spec = file_.spec;
    const bool is_cut = head_ && options_.head == HeadTreatment::cut;
    if (is_cut) spec.head.reset();  // its metadata say it
    if (fitted_) spec.input_size.reset();
    return spec;
  }

  // Notes it for the report too.
  bool is_asked_for(const std::string& key) {
    for (const auto& node : model_.graph().node()) {
      if (node.output_size() == 0 || node.output(0) != key) continue;
      if (!options_.in_float.contains(name_of(node))) return false;
      report_.in_float.push_back({name_of(node), node.op_type(), "asked for"});
      return true;
    }
    return false;
  }

  std::string quantise_until_good() {
    const std::vector<Layer> layers = layers_of(model_, plan_);
    if (options_.sensitivity == Sensitivity::always) measure();
    std::size_t excluded = 0;
    for (;;) {
      std::string bytes = attempt(layers, excluded);
      if (judge(bytes, excluded)) {
        note_exclusions(excluded);
        return bytes;
      }
      if (report_.sensitivities.empty() && is_evident()) measure();
      // Past half of the layers a float model would be the honest answer. Layers in float make no
      // evidence.
      const std::size_t next = excluded == 0 ? 1 : excluded * 2;
      if (next > layers.size() / 2 || !is_evident()) {
        note_exclusions(excluded);
        return bytes;
      }
      excluded = next;
    }
  }

  void measure() {
    timed("sensitivity", [&] {
      SensitivityOptions options;
      options.input_size = options_.input_size;
      options.preprocessing = preprocessing_;
      options.workers = options_.calibration.workers;
      if (options_.on_progress) {
        options.on_progress = [&](std::size_t done, std::size_t total) {
          options_.on_progress("sensitivity", done, total);
        };
      }
      report_.sensitivities =
          measure_sensitivity(runtime_, model_, plan_, ranges_, head_, *pictures_, options);
    });
  }

  std::string attempt(const std::vector<Layer>& layers, std::size_t excluded) {
    std::string bytes;
    timed("quantise", [&] {
      QuantisationOptions options;
      options.shared_concat_limit = options_.shared_concat_limit;
      options.weight_bits = options_.weight_bits;
      for (std::size_t i = 0; i < excluded; ++i) {
        const auto layer = std::ranges::find(layers, report_.sensitivities[i].node, &Layer::node);
        if (layer != layers.end()) {
          options.excluded.insert(layer->nodes.begin(), layer->nodes.end());
        }
      }
      bytes = finish(model_, options);
    });
    return bytes;
  }

  std::string finish(Model model, const QuantisationOptions& options) {
    if (options_.weights == Weights::int8) quantise(model, plan_, ranges_, options);
    if (options_.weights == Weights::float16) {
      const std::string what = store_half_weights(model);
      if (!what.empty()) report_.passes.push_back(what);
    }
    if (head_ && options_.head == HeadTreatment::cut) cut_head(model, *head_);
    if (fitted_) {
      set_input_size(model, *head_, *fitted_);
      run_once(model);
    }
    model.set_metadata("andon_parent_digest", original_.digest());
    if (options_.weights == Weights::int8) {
      model.set_metadata("andon_calibration_digest", pictures_->digest);
    }
    model.set_metadata("andon_tool", std::string(kTool));
    report_.opset_after = model.opset();
    report_.nodes_after = static_cast<std::size_t>(model.graph().node_size());
    remove_device_graph(model);
    if (options_.weights != Weights::int8) return model.serialise();
    return finish_for_devices(std::move(model));
  }

  std::string finish_for_devices(Model model) {
    DeviceGraphOptions options;
    options.input_size = options_.input_size;
    const vision::Preprocessing plain;
    if (has_plain_pixels() && preprocessing_.divisor == plain.divisor) {
      options.divisor = preprocessing_.divisor;
    }
    DeviceGraph device = make_device_graph(runtime_, model, options);
    report_.device_graph = std::move(device.what);
    if (!device.model) return model.serialise();
    return with_device_graph(std::move(model), std::move(*device.model));
  }

  // The scores prove something, or need not.
  [[nodiscard]] bool is_evident() const {
    return report_.no_evidence.empty() || options_.empty_verdict == EmptyVerdict::allowed;
  }

  // Does the gate hold?
  bool judge(const std::string& bytes, std::size_t excluded) {
    if (!options_.judge) {
      report_.gate_held = true;
      return true;
    }
    Judgement judgement;
    timed("gate", [&] {
      judgement =
          options_.judge->score(vision::model_in_memory(bytes, "optimised model", spec_after()));
    });
    report_.after.score = judgement.score;
    report_.after.map50 = judgement.map50;
    report_.drop = *report_.before.score - judgement.score;
    // Figures of the same counts can differ in the last bit.
    report_.gate_held = is_evident() && report_.drop <= options_.max_drop + 1e-9;
    report_.rounds.push_back({excluded, bytes.size(), judgement.score});
    return report_.gate_held;
  }

  void note_exclusions(std::size_t excluded) {
    for (const NodeInFloat& node : plan_.in_float) report_.in_float.push_back(node);
    for (std::size_t i = 0; i < excluded; ++i) {
      LayerSensitivity& layer = report_.sensitivities[i];
      layer.is_excluded = true;
      report_.in_float.push_back({layer.node, layer.operation, "sensitive"});
    }
  }

  void measure_latency(const std::string& bytes) {
    const vision::ModelFile file = vision::model_in_memory(bytes, "optimised model");
    const std::optional<Model> device_graph = device_graph_of(file);
    const Model after = device_graph ? *device_graph : Model::parse(file);
    Execution first(runtime_, original_, output_names(original_),
                    inputs_of(original_, options_.input_size));
    Execution second(runtime_, after, output_names(after), inputs_of(after, options_.input_size));
    std::vector<double> before_ms;
    std::vector<double> after_ms;
    const auto time = [](Execution& execution, std::vector<double>& times) {
      const auto start = SteadyClock::now();
      static_cast<void>(execution.run_random(0));
      times.push_back(
          std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count());
    };
    for (std::size_t i = 0; i < options_.latency_runs + 2; ++i) {
      time(first, before_ms);
      time(second, after_ms);
    }
    // The first two are warm-up.
    before_ms.erase(before_ms.begin(), before_ms.begin() + 2);
    after_ms.erase(after_ms.begin(), after_ms.begin() + 2);
    report_.before.latency = base::latency_of(std::move(before_ms));
    report_.after.latency = base::latency_of(std::move(after_ms));
  }

  const vision::OnnxRuntime& runtime_;
  const vision::ModelFile& file_;
  const Model original_;
  const std::optional<CalibrationSet>& pictures_;
  const OptimizationOptions& options_;
  Model model_;
  std::optional<Head> head_;
  std::optional<vision::Size> fitted_;
  vision::Preprocessing preprocessing_;
  QuantisationPlan plan_;
  std::map<std::string, Range> ranges_;
  OptimizationReport report_;
};

}  // namespace

OptimizationResult optimize(const vision::OnnxRuntime& runtime, const vision::ModelFile& original,
                            const std::optional<CalibrationSet>& pictures,
                            const OptimizationOptions& options) {
  return Optimizer(runtime, original, pictures, options).run();
}

}  // namespace andon::model
