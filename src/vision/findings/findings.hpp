// SPDX-License-Identifier: Apache-2.0
// What a model finds in a picture. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vision/pixels/image.hpp"

namespace andon::vision {

// In pixels of the original picture; x and y are the top left corner.
struct Box {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;
};
[[nodiscard]] bool has_area(const Box& box);
[[nodiscard]] float intersection_over_union(const Box& left, const Box& right);

// Of a detection whose box is turned. `angle` in radians, from -pi/4 to below 3 pi/4, from the
// picture's x axis to the side that is `width` long, clockwise as people see it (y goes down).
struct RotatedBox {
  float centre_x = 0;
  float centre_y = 0;
  float width = 0;
  float height = 0;
  float angle = 0;
};
struct Point {
  float x = 0;
  float y = 0;
};
// In the order of a walk around it.
[[nodiscard]] std::array<Point, 4> corners_of(const RotatedBox& box);

// In pixels of the original picture, clipped to it.
struct Keypoint {
  float x = 0;
  float y = 0;
  std::optional<float> confidence;  // that it is to be seen; where the model tells
};

struct Detection {
  int class_id = 0;
  float confidence = 0;
  Box box;
};

// The pixels of one detection, in the size of the original picture, run-length encoded as COCO's
// uncompressed masks are: by column, the first run is of pixels outside.
struct Mask {
  Size size;
  std::vector<std::uint32_t> counts;
};

struct ClassScore {
  int class_id = 0;
  float confidence = 0;
};

// Of an anomaly detector: one number for the picture, and where it comes from.
struct Anomaly {
  float score = 0;
  Size map_size;           // 0x0: the model has no map
  std::vector<float> map;  // by row; may hold what is no number
  // What of the picture the map covers. Its edges are those of cells: where the network sees
  // padding they may lie beyond the picture by up to half a cell.
  Box map_box;
};

// Which members are filled depends on the model's task.
struct Findings {
  std::vector<Detection> detections;  // best first
  std::vector<Mask> masks;            // one a detection, where the model segments
  // One a detection, where the model's boxes are turned. The detection's own box is the upright one
  // around it, clipped to the picture.
  std::vector<RotatedBox> rotated;
  // Where the model finds keypoints: of each detection as many as of the others, in order.
  std::vector<Keypoint> keypoints;
  std::vector<ClassScore> classes;  // best first, where it classifies
  std::optional<Anomaly> anomaly;
};

struct DetectionOptions {
  float confidence = 0.25F;  // only scores above it
  float iou = 0.7F;          // a box that overlaps a better one by more is dropped
  enum class Suppression : std::uint8_t {
    by_class,  // a box is dropped for a better one of its own class only
    agnostic,  // of any class
  } suppression = Suppression::by_class;
  std::size_t max_detections = 300;
  std::size_t max_candidates = 30'000;  // the best of them go into the suppression
  std::size_t max_classes = 5;          // of a classifier's scores
};

}  // namespace andon::vision
