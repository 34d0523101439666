// SPDX-License-Identifier: Apache-2.0
#include "inspect/model.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "recipe/json_or_yaml.hpp"
#include "trust/digest.hpp"

namespace andon::inspect {
namespace {

constexpr std::size_t kMaxModelBytes = 2'000'000'000;

ComponentId component_of(const base::fs::path& path, const ComponentId& given) {
  const auto installed = component_of_artifact(base::fs::absolute(path));
  ComponentId component = given;
  if (component.name.empty()) component.name = installed ? installed->name : path.stem().string();
  if (component.version.empty()) component.version = installed ? installed->version : "0.0.0";
  return component;
}

vision::ModelSpec read_spec(const base::fs::path& model) {
  base::fs::path file = model;
  file.replace_extension(".yaml");
  const auto text = base::read_file_if_exists(file);
  if (!text) return {};
  try {
    return vision::parse_model_spec(recipe::parse_json_or_yaml(*text, file.string()));
  } catch (base::Error& error) {
    throw error.with_context(file.string());
  }
}

}  // namespace

std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime,
                                        const base::fs::path& path, const ModelOptions& options) {
  const std::string bytes = base::read_file(path, kMaxModelBytes);
  auto model = std::make_shared<Model>();
  model->path = path;
  model->component = component_of(path, options.component);
  model->sha256 = trust::sha256_hex(bytes);
  vision::DetectorOptions detector = options.detector;
  detector.spec = read_spec(path);
  model->detectors.push_back(
      std::make_unique<vision::Detector>(runtime, bytes, path.filename().string(), detector));
  const vision::Detector& first = *model->detectors.front();
  for (int worker = 1; worker < options.workers; ++worker) {
    model->detectors.push_back(std::make_unique<vision::Detector>(first.sibling()));
  }
  for (const std::string& reason : first.passed_over_providers()) {
    base::log_warning("an execution provider is not used", {{"reason", reason}});
  }

  const vision::ModelDescription& description = first.description();
  base::log_info("model loaded", {{"model", path.string()},
                                  {"sha256", model->sha256},
                                  {"component", model->component.name},
                                  {"version", model->component.version},
                                  {"head", to_string(description.head)},
                                  {"provider", description.provider},
                                  {"input_width", description.input.width},
                                  {"input_height", description.input.height},
                                  {"classes", description.labels.size()},
                                  {"workers", options.workers},
                                  {"threads", options.detector.session.threads},
                                  {"onnxruntime", runtime.version()}});
  return model;
}

vision::Tuning tune_model(const vision::OnnxRuntime& runtime, const base::fs::path& path,
                          const ModelOptions& options, vision::TuningGoal goal,
                          const base::fs::path& cache) {
  const std::string bytes = base::read_file(path, kMaxModelBytes);
  vision::DetectorOptions detector = options.detector;
  detector.spec = read_spec(path);
  const vision::Tuning tuning =
      vision::tune(runtime, bytes, path.filename().string(), detector, goal, cache);
  base::log_info(
      "tuned to this machine",
      {{"workers", tuning.workers},
       {"threads", tuning.threads},
       {"network_per_second", tuning.pictures_per_second},
       {"was", tuning.origin == vision::Tuning::Origin::measured ? "measured now" : "remembered"}});
  return tuning;
}

}  // namespace andon::inspect
