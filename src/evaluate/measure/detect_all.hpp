// SPDX-License-Identifier: Apache-2.0
// Runs a model over many pictures on all cores: a worker a core, each with its own session. Blocks
// the caller until all is done; the result does not depend on the number of workers. Pictures are
// read, decoded and forgotten one by one; what is kept is 24 bytes a detection.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "evaluate/labels/dataset.hpp"
#include "vision/detect/detector.hpp"

namespace andon::evaluate {

struct DetectAllOptions {
  // COCO's curves need the doubtful ones too.
  vision::DetectionOptions detection{.confidence = 0.001F};
  std::optional<vision::Size> input_size;  // for models whose input is not fixed
  int workers = 0;                         // 0: one a core
  // Called from the calling thread, a few times a second at most, and once at the end.
  std::function<void(std::size_t done, std::size_t total)> on_progress;
  std::stop_token stop;  // asked between pictures: ends with cancelled
  std::optional<std::chrono::steady_clock::time_point> deadline;  // ends with deadline_exceeded
};

struct ImageDetections {
  vision::Size size;
  std::vector<vision::Detection> detections;  // best first
  vision::Milliseconds decode{};
  vision::Milliseconds preprocess{};
  vision::Milliseconds inference{};
  vision::Milliseconds postprocess{};
  std::optional<base::Error> error;  // the picture cannot be read: size 0x0, no detections
};

struct ModelDetections {
  vision::ModelDescription model;
  std::vector<ImageDetections> images;  // in the order of `files`
};

// Throws what vision::Detector throws for a model that cannot be run.
[[nodiscard]] ModelDetections detect_all(const vision::OnnxRuntime& runtime,
                                         const vision::ModelFile& model,
                                         std::span<const base::fs::path> files,
                                         const DetectAllOptions& options = {});

// Throws invalid_argument that counts and names the pictures that could not be read, if any.
void require_all_readable(const ModelDetections& detections, std::span<const base::fs::path> files);

// The model's findings in the terms of the dataset whose pictures these are. Throws
// invalid_argument for sizes other than the labels say and labels that do not match (match_labels).
[[nodiscard]] std::vector<Findings> findings_of(const ModelDetections& detections,
                                                const Dataset& dataset);

}  // namespace andon::evaluate
