// SPDX-License-Identifier: Apache-2.0
#include "inspect/model.hpp"

#include <algorithm>

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

vision::DetectorOptions detector_options(const ModelFile& file, const ModelOptions& options) {
  vision::DetectorOptions result = options.detector;
  const Parallelism& parallelism = options.parallelism;
  result.session.threads = parallelism.threads;
  result.session.waiting = parallelism.waiting;
  result.session.runs = parallelism.workers;
  result.session.weights_folder = file.path.parent_path();
  result.session.pool_cores = vision::pool_cores(parallelism.cores, parallelism.workers);
  result.max_batch = std::max<std::size_t>(1, parallelism.batch);
  result.spec = file.spec;
  return result;
}

// Pictures that one run is to take. The first such run is made here, like the first of one picture.
std::size_t warm_batch(vision::Detector& detector, const ModelFile& file, std::size_t wanted) {
  const std::size_t most = detector.description().max_batch;
  const std::size_t batch = wanted == 0 ? most : std::min(wanted, most);
  if (batch < wanted) {
    base::log_warning("the model takes fewer images at once than were asked for",
                      {{"model", file.path.string()}, {"asked", wanted}, {"takes", batch}});
  }
  if (batch == 1) return batch;
  vision::Image picture{detector.description().input, {}};
  picture.rgb.resize(picture.row_bytes() * static_cast<std::size_t>(picture.size.height), 99);
  const std::vector<const vision::Image*> pictures(batch, &picture);
  try {
    (void)detector.detect(pictures);
    return batch;
  } catch (const base::Error& error) {
    base::log_warning("the model cannot look at several images at once",
                      {{"model", file.path.string()}, {"error", error.message()}});
    return 1;
  }
}

}  // namespace

ModelFile read_model_file(const base::fs::path& path) {
  ModelFile file;
  file.path = path;
  file.bytes = base::read_file(path, kMaxModelBytes);
  file.sha256 = trust::sha256_hex(file.bytes);
  file.spec = read_spec(path);
  return file;
}

std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime, const ModelFile& file,
                                        const ModelOptions& options) {
  auto model = std::make_shared<Model>();
  model->path = file.path;
  model->component = component_of(file.path, options.component);
  model->sha256 = file.sha256;
  model->parallelism = options.parallelism;
  model->detectors.push_back(std::make_unique<vision::Detector>(
      runtime, file.bytes, file.path.filename().string(), detector_options(file, options)));
  vision::Detector& first = *model->detectors.front();
  model->parallelism.batch = warm_batch(first, file, options.parallelism.batch);
  for (int worker = 1; worker < options.parallelism.workers; ++worker) {
    model->detectors.push_back(std::make_unique<vision::Detector>(first.sibling()));
  }
  for (const std::string& reason : first.passed_over_providers()) {
    base::log_warning("an execution provider is not used", {{"reason", reason}});
  }

  const vision::ModelDescription& description = first.description();
  base::log_info("model loaded", {{"model", file.path.string()},
                                  {"sha256", model->sha256},
                                  {"component", model->component.name},
                                  {"version", model->component.version},
                                  {"head", to_string(description.head)},
                                  {"provider", description.provider},
                                  {"input_width", description.input.width},
                                  {"input_height", description.input.height},
                                  {"classes", description.labels.size()},
                                  {"onnxruntime", runtime.version()}});
  return model;
}

vision::Tuner make_tuner(const vision::OnnxRuntime& runtime, const ModelFile& file,
                         const ModelOptions& options, vision::TuningRequest request) {
  return {runtime, file.bytes, file.path.filename().string(), detector_options(file, options),
          std::move(request)};
}

}  // namespace andon::inspect
