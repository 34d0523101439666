// SPDX-License-Identifier: Apache-2.0
// One version of the model, loaded and warm: a detector for each worker, and who it is. Frames
// hold it (shared) from the moment they are taken, so that a newer version takes over between two
// frames and this one goes when its last frame is done. Made on any thread; a worker uses its own
// detector only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inspect/model/file_watch.hpp"
#include "inspect/model/parallelism.hpp"
#include "inspect/results/result.hpp"
#include "vision/detect/detector.hpp"
#include "vision/detect/model_file.hpp"

namespace andon::inspect {

struct Model {
  base::fs::path path;
  ComponentId component;
  std::string sha256;
  std::vector<WatchedFile> files;  // as they were when it was read
  Parallelism parallelism;         // that it was loaded for; its batch is what one run takes
  std::vector<std::unique_ptr<vision::Detector>> detectors;  // one a worker
};

struct ModelOptions {
  Parallelism parallelism;
  vision::DetectorOptions detector;  // but for what follows from the parallelism
  // Where not empty, instead of what the model's path says.
  ComponentId component;
};

// What a model of that name is read from, as far as its name tells, as it is now.
[[nodiscard]] std::vector<WatchedFile> model_files(const base::fs::path& path);

struct OpenedModel {
  vision::ModelFile file;
  std::vector<WatchedFile> files;
};
[[nodiscard]] OpenedModel open_model(const base::fs::path& path);

// The workers share the weights. A model that says that it takes batches and does not is run one
// by one. Throws what keeps the model from being used: not_found, invalid_argument.
[[nodiscard]] std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime,
                                                      const vision::ModelFile& file,
                                                      const ModelOptions& options,
                                                      std::vector<WatchedFile> files = {});

// How the model is best run on this machine.
[[nodiscard]] vision::Tuner make_tuner(const vision::OnnxRuntime& runtime, vision::ModelFile file,
                                       const ModelOptions& options, vision::TuningRequest request);

}  // namespace andon::inspect
