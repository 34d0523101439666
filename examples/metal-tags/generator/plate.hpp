// SPDX-License-Identifier: Apache-2.0
// The tag and what lies under it, in grey levels on a canvas (CV_32F, 0 to 255).
#pragma once

#include <opencv2/core.hpp>

#include "random.hpp"

namespace metal_tags {

struct Plate {
  cv::Mat surface;       // grey levels
  cv::Mat coverage;      // 1 where the plate is, 0 elsewhere and in its hole
  cv::Mat outline_mask;  // the same without the hole
  cv::Rect outline;      // of the plate on the canvas
  cv::Rect scratchable;  // where scratches are put: the outline without its rim
};

// A dark grey plate with rounded corners, a brushed surface and a hole in one corner.
Plate draw_plate(cv::Size canvas, double scale, Random& random);
// Finger marks, dust and faint hairs: on the plate, and no defects.
void draw_smudges(Plate& plate, int count, double scale, Random& random);
void draw_stamped_text(Plate& plate, double scale, Random& random);

// The overexposed fixture with its rails above and below, and the shadow beside the plate
// whose outline is given (placed, as it lies on the fixture).
cv::Mat draw_fixture(cv::Size canvas, const cv::Mat& outline_mask, double scale, Random& random);

}  // namespace metal_tags
