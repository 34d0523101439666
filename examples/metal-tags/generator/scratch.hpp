// SPDX-License-Identifier: Apache-2.0
// One scratch: a bright line, straight or bent, often broken, sometimes of several strands.
#pragma once

#include <opencv2/core.hpp>

#include "random.hpp"

namespace metal_tags {

struct ScratchStyle {
  double minimum_contrast = 60;  // grey levels above the plate
  double maximum_contrast = 190;
  double faint_share = 0.15;  // of scratches with a quarter of that contrast
};

// The light that a scratch adds to the plate, in grey levels: CV_32F of `size`. It lies inside
// `area`. Coordinates are canvas pixels; `scale` canvas pixels make one pixel of the final image.
cv::Mat draw_scratch(cv::Size size, const cv::Rect& area, double scale, const ScratchStyle& style,
                     Random& random);

}  // namespace metal_tags
