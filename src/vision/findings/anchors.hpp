// SPDX-License-Identifier: Apache-2.0
// Finding the few anchors that see something among thousands that do not. Internal to vision/.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace andon::vision {

// Calls found(anchor, class, score) for each anchor whose best class scores more than `limit`.
// `scores` has one plane of `pitch` values a class, `anchors` of which count. Block by block, so
// that the scan over classes runs along memory and few scores are compared one by one. Scores that
// are not numbers are never more.
template <typename Found>
void find_anchors(const float* scores, std::size_t classes, std::size_t pitch, std::size_t anchors,
                  float limit, Found found) {
  constexpr std::size_t kBlock = 256;
  std::array<float, kBlock> best{};
  for (std::size_t start = 0; start < anchors; start += kBlock) {
    const std::size_t count = std::min(kBlock, anchors - start);
    std::fill_n(best.begin(), count, limit);
    for (std::size_t c = 0; c < classes; ++c) {
      const float* plane = scores + c * pitch + start;
      for (std::size_t i = 0; i < count; ++i) best[i] = plane[i] > best[i] ? plane[i] : best[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!(best[i] > limit)) continue;
      std::size_t class_id = 0;
      while (scores[class_id * pitch + start + i] != best[i]) ++class_id;
      found(start + i, class_id, best[i]);
    }
  }
}

}  // namespace andon::vision
