// SPDX-License-Identifier: Apache-2.0
// One version of the model, loaded and warm: a detector for each worker, and who it is. Frames
// hold it (shared) from the moment they are taken, so that a newer version takes over between two
// frames and this one goes when its last frame is done. Made on any thread; a worker uses its own
// detector only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inspect/result.hpp"
#include "vision/detector.hpp"
#include "vision/tuning.hpp"

namespace andon::inspect {

struct Model {
  base::fs::path path;
  ComponentId component;
  std::string sha256;
  std::vector<std::unique_ptr<vision::Detector>> detectors;  // one a worker
};

struct ModelOptions {
  int workers = 1;
  vision::DetectorOptions detector;
  // Where not empty, instead of what the model's path says.
  ComponentId component;
};

// Reads the file once: what is hashed is what runs. The workers share the weights. What the model
// does not tell of itself may stand in a file beside it, MODEL.yaml (docs/vision.md). Throws what
// keeps the model from being used: not_found, invalid_argument.
[[nodiscard]] std::shared_ptr<const Model> load_model(const vision::OnnxRuntime& runtime,
                                                      const base::fs::path& path,
                                                      const ModelOptions& options);

// How many workers and threads suit the model on this machine: measured for about two seconds, or
// remembered in `cache`.
[[nodiscard]] vision::Tuning tune_model(const vision::OnnxRuntime& runtime,
                                        const base::fs::path& path, const ModelOptions& options,
                                        vision::TuningGoal goal, const base::fs::path& cache);

}  // namespace andon::inspect
