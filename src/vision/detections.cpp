// SPDX-License-Identifier: Apache-2.0
#include "vision/detections.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace andon::vision {
namespace {

struct Corners {
  float left;
  float top;
  float right;
  float bottom;
  [[nodiscard]] float area() const { return (right - left) * (bottom - top); }
};

struct Candidate {
  Corners corners;  // in input pixels
  float score;
  int class_id;
};

// As torchvision.ops.nms compares them.
bool overlap_more_than(const Corners& a, const Corners& b, float limit) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return false;
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared) > limit;
}

std::vector<Candidate> find_candidates(const AnchorOutput& output, float confidence) {
  std::vector<Candidate> candidates;
  const auto at = [&](std::size_t channel, std::size_t anchor) {
    return output.values[channel * output.anchors + anchor];
  };
  // Block by block, so that the scan over classes runs along memory and few scores are compared
  // one by one: most anchors see nothing.
  constexpr std::size_t kBlock = 256;
  std::array<float, kBlock> best{};
  for (std::size_t start = 0; start < output.anchors; start += kBlock) {
    const std::size_t count = std::min(kBlock, output.anchors - start);
    std::fill_n(best.begin(), count, confidence);
    for (std::size_t c = 0; c < output.classes; ++c) {
      const float* scores = &output.values[(4 + c) * output.anchors + start];
      for (std::size_t i = 0; i < count; ++i) best[i] = scores[i] > best[i] ? scores[i] : best[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!(best[i] > confidence)) continue;
      const std::size_t anchor = start + i;
      std::size_t class_id = 0;
      while (at(4 + class_id, anchor) != best[i]) ++class_id;
      const float x = at(0, anchor);
      const float y = at(1, anchor);
      const float half_width = at(2, anchor) / 2;
      const float half_height = at(3, anchor) / 2;
      if (!(half_width > 0 && half_height > 0)) continue;
      const Corners corners{x - half_width, y - half_height, x + half_width, y + half_height};
      if (!std::isfinite(corners.area()) || !std::isfinite(x + y)) continue;
      candidates.push_back({corners, best[i], static_cast<int>(class_id)});
    }
  }
  return candidates;
}

// Greedy, best first, per class. What is dropped is decided by the kept boxes alone, so that the
// cost is bounded by candidates times max_detections.
std::vector<Candidate> suppress(std::vector<Candidate> candidates,
                                const DetectionOptions& options) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  if (candidates.size() > options.max_candidates) candidates.resize(options.max_candidates);
  std::vector<Candidate> kept;
  for (const Candidate& candidate : candidates) {
    if (kept.size() == options.max_detections) break;
    const bool is_dropped = std::any_of(kept.begin(), kept.end(), [&](const Candidate& better) {
      return better.class_id == candidate.class_id &&
             overlap_more_than(better.corners, candidate.corners, options.iou);
    });
    if (!is_dropped) kept.push_back(candidate);
  }
  return kept;
}

Detection map_back(const Candidate& candidate, const LetterboxPlan& plan) {
  const auto to_source = [&](float place, int offset, int limit) {
    return std::clamp((static_cast<double>(place) - offset) / plan.ratio, 0.0,
                      static_cast<double>(limit));
  };
  const double left = to_source(candidate.corners.left, plan.left, plan.source.width);
  const double top = to_source(candidate.corners.top, plan.top, plan.source.height);
  const double right = to_source(candidate.corners.right, plan.left, plan.source.width);
  const double bottom = to_source(candidate.corners.bottom, plan.top, plan.source.height);
  return {candidate.class_id,
          candidate.score,
          {static_cast<float>(left), static_cast<float>(top), static_cast<float>(right - left),
           static_cast<float>(bottom - top)}};
}

}  // namespace

float intersection_over_union(const Box& left, const Box& right) {
  const float width =
      std::min(left.x + left.width, right.x + right.width) - std::max(left.x, right.x);
  const float height =
      std::min(left.y + left.height, right.y + right.height) - std::max(left.y, right.y);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (left.width * left.height + right.width * right.height - shared);
}

std::vector<Detection> decode_detections(const AnchorOutput& output, const LetterboxPlan& plan,
                                         const DetectionOptions& options) {
  std::vector<Detection> detections;
  for (const Candidate& kept : suppress(find_candidates(output, options.confidence), options)) {
    detections.push_back(map_back(kept, plan));
  }
  return detections;
}

}  // namespace andon::vision
