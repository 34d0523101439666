// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/suppression.hpp"

#include <algorithm>
#include <cmath>

namespace andon::vision {
namespace {

// As torchvision.ops.nms compares them.
bool overlap_more_than(const Corners& a, const Corners& b, float limit) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return false;
  const float shared = width * height;
  return shared / (a.area() + b.area() - shared) > limit;
}

// Ultralytics keeps classes apart by moving each class's boxes by this much; the rounding of the
// sums is part of its results.
Corners shifted(const Candidate& candidate) {
  constexpr float kClassStep = 7680;
  const float shift = static_cast<float>(candidate.class_id) * kClassStep;
  const Corners& corners = candidate.corners;
  return {corners.left + shift, corners.top + shift, corners.right + shift, corners.bottom + shift};
}

}  // namespace

bool Corners::is_box() const {
  return right > left && bottom > top && std::isfinite(area()) && std::isfinite(left + top);
}

Corners corners_in_parts(const float* box, Size input) {
  const auto width = static_cast<float>(input.width);
  const auto height = static_cast<float>(input.height);
  return {(box[0] - box[2] / 2) * width, (box[1] - box[3] / 2) * height,
          (box[0] + box[2] / 2) * width, (box[1] + box[3] / 2) * height};
}

std::vector<Candidate>& Suppressor::start() {
  candidates_.clear();
  return candidates_;
}

void Suppressor::sort() {
  // One that is not finite is no score, and would come first.
  std::erase_if(candidates_, [](const Candidate& it) { return !std::isfinite(it.score); });
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return a.score > b.score || (a.score == b.score && a.anchor < b.anchor);
  });
}

// What is dropped is decided by the kept boxes alone, so that the cost is bounded by candidates
// times max_detections.
const std::vector<Candidate>& Suppressor::suppress(const DetectionOptions& options) {
  sort();
  if (candidates_.size() > options.max_candidates) candidates_.resize(options.max_candidates);
  const bool is_agnostic = options.suppression == DetectionOptions::Suppression::agnostic;
  kept_.clear();
  shifted_.clear();
  for (const Candidate& candidate : candidates_) {
    if (kept_.size() == options.max_detections) break;
    const Corners corners = is_agnostic ? candidate.corners : shifted(candidate);
    bool is_dropped = false;
    for (std::size_t i = 0; i < kept_.size() && !is_dropped; ++i) {
      is_dropped = (is_agnostic || kept_[i].class_id == candidate.class_id) &&
                   overlap_more_than(shifted_[i], corners, options.iou);
    }
    if (is_dropped) continue;
    kept_.push_back(candidate);
    shifted_.push_back(corners);
  }
  return kept_;
}

const std::vector<Candidate>& Suppressor::best(const DetectionOptions& options) {
  sort();
  if (candidates_.size() > options.max_detections) candidates_.resize(options.max_detections);
  return candidates_;
}

Detection map_back(const Candidate& candidate, const LetterboxPlan& plan) {
  const auto to_source = [](float place, int offset, double ratio, int limit) {
    return std::clamp((static_cast<double>(place) - offset) / ratio, 0.0,
                      static_cast<double>(limit));
  };
  const Corners& corners = candidate.corners;
  const double left = to_source(corners.left, plan.left, plan.ratio_x, plan.source.width);
  const double top = to_source(corners.top, plan.top, plan.ratio_y, plan.source.height);
  const double right = to_source(corners.right, plan.left, plan.ratio_x, plan.source.width);
  const double bottom = to_source(corners.bottom, plan.top, plan.ratio_y, plan.source.height);
  return {candidate.class_id,
          candidate.score,
          {static_cast<float>(left), static_cast<float>(top), static_cast<float>(right - left),
           static_cast<float>(bottom - top)}};
}

void map_back(std::span<const Candidate> candidates, const LetterboxPlan& plan,
              std::vector<Detection>& into) {
  into.clear();
  for (const Candidate& candidate : candidates) {
    const Detection detection = map_back(candidate, plan);
    if (has_area(detection.box)) into.push_back(detection);
  }
}

bool has_area(const Box& box) {
  return box.width > 0 && box.height > 0;
}

float intersection_over_union(const Box& left, const Box& right) {
  const float width =
      std::min(left.x + left.width, right.x + right.width) - std::max(left.x, right.x);
  const float height =
      std::min(left.y + left.height, right.y + right.height) - std::max(left.y, right.y);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (left.width * left.height + right.width * right.height - shared);
}

}  // namespace andon::vision
