// SPDX-License-Identifier: Apache-2.0
// Pictures of a metal tag on its fixture, as a grey line camera sees them, with the truth about
// their scratches. Pure: the same options and seed give the same picture.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace metal_tags {

enum class Difficulty { easy, middling, hard };

// What may change on a line after a model was trained. Each is off at 0 or false.
struct Drift {
  double lamp = 0;            // 0..1: dimmer, and brighter at one side
  double lens = 0;            // 0..1: worn and dirty: blur, dark specks, less contrast
  double shift = 0;           // 0..1: the camera was moved and turned
  bool stamped_text = false;  // a new design of the tag, with a number stamped into it
};

struct SceneOptions {
  cv::Size size{450, 300};
  Difficulty difficulty = Difficulty::middling;
  double defect_rate = 0.8;  // share of tags with at least one scratch
  Drift drift;
};

struct Scene {
  cv::Mat image;                   // CV_8U, one channel
  std::vector<cv::Rect> boxes;     // one a scratch, in pixels, inside the picture
  std::vector<cv::Mat> scratches;  // CV_32F, the light that each adds, before lamp and lens
};

// Each scratch has one box: the smallest around what is seen of it, and a margin as wide as the
// labels of the photographs have it. Scratches that cross keep a box each.
inline constexpr int kLabelMargin = 4;
// Light below this many grey levels does not count as seen.
inline constexpr double kSeenContrast = 10;

[[nodiscard]] Scene render_scene(const SceneOptions& options, std::uint64_t seed);

}  // namespace metal_tags
