// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/detections.hpp"

#include "vision/findings/anchors.hpp"

namespace andon::vision {

void find_candidates(const AnchorOutput& output, float confidence,
                     std::vector<Candidate>& candidates) {
  const std::size_t anchors = output.anchors;
  const float* values = output.values.data();
  find_anchors(
      values + 4 * anchors, output.classes, anchors, anchors, confidence,
      [&](std::size_t anchor, std::size_t class_id, float score) {
        const float x = values[anchor];
        const float y = values[anchors + anchor];
        const float half_width = values[2 * anchors + anchor] / 2;
        const float half_height = values[3 * anchors + anchor] / 2;
        const Corners corners{x - half_width, y - half_height, x + half_width, y + half_height};
        if (!corners.is_box()) return;
        candidates.push_back({corners, score, static_cast<std::int32_t>(class_id),
                              static_cast<std::uint32_t>(anchor)});
      });
}

}  // namespace andon::vision
