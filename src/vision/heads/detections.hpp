// SPDX-License-Identifier: Apache-2.0
// What the most common head, that of YOLOv8, v9 and v11, finds in a detector's raw output. Pure;
// any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vision/findings/suppression.hpp"

namespace andon::vision {

// [4 + classes][anchors], planar; centre x, centre y, width and height in input pixels, then one
// score a class. Scores that are not numbers and boxes without an area count as none. Planes
// beyond the classes are not looked at.
struct AnchorOutput {
  std::span<const float> values;
  std::size_t classes = 0;
  std::size_t anchors = 0;
};

// Appends each anchor whose best class scores more than `confidence`.
void find_candidates(const AnchorOutput& output, float confidence,
                     std::vector<Candidate>& candidates);

}  // namespace andon::vision
