// SPDX-License-Identifier: Apache-2.0
// From a detector's raw output to boxes: decoding, non-maximum suppression as Ultralytics does it,
// mapping back to the original picture. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vision/letterbox.hpp"

namespace andon::vision {

// In pixels of the original picture; x and y are the top left corner.
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};
[[nodiscard]] float intersection_over_union(const Box& left, const Box& right);

struct Detection {
  int class_id = 0;
  float confidence = 0;
  Box box;
};

struct DetectionOptions {
  float confidence = 0.25F;  // only scores above it
  float iou = 0.7F;          // a box that overlaps a better one of its class by more is dropped
  std::size_t max_detections = 300;
  std::size_t max_candidates = 30'000;  // the best of them go into the suppression
};

// The head of YOLOv8, v9 and v11: [4 + classes][anchors], planar; centre x, centre y, width and
// height in input pixels, then one score a class. Scores that are not numbers and boxes
// without an area count as none.
struct AnchorOutput {
  std::span<const float> values;
  std::size_t classes = 0;
  std::size_t anchors = 0;
};

// Best first. Boxes are mapped back by `plan` and clipped to the picture.
[[nodiscard]] std::vector<Detection> decode_detections(const AnchorOutput& output,
                                                       const LetterboxPlan& plan,
                                                       const DetectionOptions& options);

}  // namespace andon::vision
