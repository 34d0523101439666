// SPDX-License-Identifier: Apache-2.0
#include "inspect/model.hpp"

#include <future>

#include "base/log.hpp"
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

}  // namespace

std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime,
                                        const base::fs::path& path, const ModelOptions& options) {
  const std::string bytes = base::read_file(path, kMaxModelBytes);
  auto model = std::make_shared<Model>();
  model->path = path;
  model->component = component_of(path, options.component);
  model->sha256 = trust::sha256_hex(bytes);
  const auto make = [&] {
    return std::make_unique<vision::Detector>(runtime, bytes, path.filename().string(),
                                              options.detector);
  };
  std::vector<std::future<std::unique_ptr<vision::Detector>>> others;
  for (int worker = 1; worker < options.workers; ++worker) {
    others.push_back(std::async(std::launch::async, make));
  }
  // Futures of async wait where this throws, so `bytes` outlives their threads.
  model->detectors.push_back(make());
  for (auto& other : others) model->detectors.push_back(other.get());

  const vision::ModelDescription& description = model->detectors.front()->description();
  base::log_info("model loaded", {{"model", path.string()},
                                  {"sha256", model->sha256},
                                  {"component", model->component.name},
                                  {"version", model->component.version},
                                  {"input_width", description.input.width},
                                  {"input_height", description.input.height},
                                  {"classes", description.labels.size()},
                                  {"workers", options.workers},
                                  {"threads", options.detector.session.threads},
                                  {"onnxruntime", runtime.version()}});
  return model;
}

}  // namespace andon::inspect
