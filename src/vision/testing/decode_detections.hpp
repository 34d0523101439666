// SPDX-License-Identifier: Apache-2.0
// For tests: from a detector's raw output to boxes, as the yolov8 head does it.
#pragma once

#include <vector>

#include "vision/heads/detections.hpp"

namespace andon::vision {

// Best first. Boxes are mapped back by `plan` and clipped to the picture.
[[nodiscard]] inline std::vector<Detection> decode_detections(const AnchorOutput& output,
                                                              const LetterboxPlan& plan,
                                                              const DetectionOptions& options) {
  Suppressor suppressor;
  find_candidates(output, options.confidence, suppressor.start());
  std::vector<Detection> detections;
  map_back(suppressor.suppress(options), plan, detections);
  return detections;
}

}  // namespace andon::vision
