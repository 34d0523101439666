// SPDX-License-Identifier: Apache-2.0
// Lamp, lens and sensor: from the scene's grey levels to the 8-bit picture.
#pragma once

#include <opencv2/core.hpp>

#include "random.hpp"
#include "scene.hpp"

namespace metal_tags {

// `scene` is CV_32F in grey levels (more than 255 is overexposed); gives CV_8U.
cv::Mat photograph(const cv::Mat& scene, const Drift& drift, Random& random);

}  // namespace metal_tags
