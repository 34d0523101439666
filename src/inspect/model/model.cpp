// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/model.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {
namespace {

ComponentId component_of(const base::fs::path& path, const ComponentId& given) {
  const auto installed = component_of_artifact(base::fs::absolute(path));
  ComponentId component = given;
  if (component.name.empty()) component.name = installed ? installed->name : path.stem().string();
  if (component.version.empty()) component.version = installed ? installed->version : "0.0.0";
  return component;
}

vision::DetectorOptions detector_options(const ModelOptions& options) {
  vision::DetectorOptions result = options.detector;
  const Parallelism& parallelism = options.parallelism;
  result.session.threads = parallelism.threads;
  result.session.waiting = parallelism.waiting;
  result.session.runs = parallelism.workers;
  result.session.pool_cores = vision::pool_cores(parallelism.cores, parallelism.workers);
  result.max_batch = std::max<std::size_t>(1, parallelism.batch);
  return result;
}

// Pictures that one run is to take. The first such run is made here, like the first of one picture.
std::size_t warm_batch(vision::Detector& detector, const vision::ModelFile& file,
                       std::size_t wanted) {
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

std::vector<WatchedFile> model_files(const base::fs::path& path) {
  base::fs::path description = path;
  description.replace_extension(".yaml");
  return {file_now(path), file_now(description)};
}

// What only the model's content names is looked at after it was read.
OpenedModel open_model(const base::fs::path& path) {
  std::vector<WatchedFile> files = model_files(path);
  OpenedModel opened{vision::open_model(path), std::move(files)};
  for (const vision::ModelFile::Part& part : opened.file.parts()) {
    const bool is_there = std::ranges::any_of(
        opened.files, [&](const WatchedFile& file) { return file.path == part.path; });
    if (!is_there) opened.files.push_back(file_now(part.path));
  }
  return opened;
}

std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime,
                                        const vision::ModelFile& file, const ModelOptions& options,
                                        std::vector<WatchedFile> files) {
  auto model = std::make_shared<Model>();
  model->path = file.path;
  model->component = component_of(file.path, options.component);
  model->sha256 = file.sha256;
  model->files = std::move(files);
  model->parallelism = options.parallelism;
  model->detectors.push_back(
      std::make_unique<vision::Detector>(runtime, file, detector_options(options)));
  vision::Detector& first = *model->detectors.front();
  model->parallelism.batch = warm_batch(first, file, options.parallelism.batch);
  for (int worker = 1; worker < options.parallelism.workers; ++worker) {
    model->detectors.push_back(std::make_unique<vision::Detector>(first.sibling()));
  }
  for (const std::string& reason : first.passed_over_providers()) {
    base::log_warning(reason.starts_with("device graph: ") ? "the device graph is not used"
                                                           : "an execution provider is not used",
                      {{"reason", reason}});
  }

  const vision::ModelDescription& description = first.description();
  base::log_info("model loaded", {{"model", file.path.string()},
                                  {"sha256", model->sha256},
                                  {"component", model->component.name},
                                  {"version", model->component.version},
                                  {"head", to_string(description.head)},
                                  {"why", description.why},
                                  {"provider", description.provider},
                                  {"device_graph", description.has_device_graph},
                                  {"input_width", description.input.width},
                                  {"input_height", description.input.height},
                                  {"classes", description.labels.size()},
                                  {"onnxruntime", runtime.version()}});
  return model;
}

vision::Tuner make_tuner(const vision::OnnxRuntime& runtime, vision::ModelFile file,
                         const ModelOptions& options, vision::TuningRequest request) {
  return {runtime, std::move(file), detector_options(options), std::move(request)};
}

}  // namespace andon::inspect
