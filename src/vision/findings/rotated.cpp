// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/rotated.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace andon::vision {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;
constexpr float kLittle = 1e-7F;  // against divisions by zero, as Ultralytics has it

// Distances above it are of boxes less alike than `iou`, whatever is rounded on the way.
float largest_distance(float iou) {
  const float apart = (1 - iou) * (1 - iou);
  if (!(apart < 1)) return std::numeric_limits<float>::infinity();
  constexpr float kMargin = 1.05F;
  return -std::log(1 - apart + kLittle) * kMargin + 0.01F;
}

// The same rectangle, its angle from -pi/4 to below 3 pi/4.
float usual_angle(float angle) {
  const float turned = angle - kPi * std::floor((angle + kPi / 4) / kPi);
  return turned < 3 * kPi / 4 ? turned : -kPi / 4;  // what rounding made of a little less
}

RotatedBox in_picture(const RotatedBox& box, const LetterboxPlan& plan) {
  const auto ratio_x = static_cast<float>(plan.ratio_x);
  const auto ratio_y = static_cast<float>(plan.ratio_y);
  RotatedBox result;
  result.centre_x = static_cast<float>((double{box.centre_x} - plan.left) / plan.ratio_x);
  result.centre_y = static_cast<float>((double{box.centre_y} - plan.top) / plan.ratio_y);
  // A letterbox rounds each side, so that its ratios differ a little; Ultralytics turns nothing for
  // it. In a picture that was stretched the sides have other directions than in the input.
  constexpr float kRounding = 0.02F;
  if (std::abs(ratio_x - ratio_y) <= kRounding * std::max(ratio_x, ratio_y)) {
    result.width = box.width / ratio_x;
    result.height = box.height / ratio_y;
    result.angle = usual_angle(box.angle);
    return result;
  }
  const float cosine = std::cos(box.angle);
  const float sine = std::sin(box.angle);
  result.width = box.width * std::hypot(cosine / ratio_x, sine / ratio_y);
  result.height = box.height * std::hypot(sine / ratio_x, cosine / ratio_y);
  result.angle = usual_angle(std::atan2(sine / ratio_y, cosine / ratio_x));
  return result;
}

Box around(const RotatedBox& box, Size picture) {
  const std::array<Point, 4> corners = corners_of(box);
  const auto [left, right] = std::ranges::minmax(corners, {}, &Point::x);
  const auto [top, bottom] = std::ranges::minmax(corners, {}, &Point::y);
  const auto across = [&](float x) {
    return std::clamp(x, 0.0F, static_cast<float>(picture.width));
  };
  const auto down = [&](float y) {
    return std::clamp(y, 0.0F, static_cast<float>(picture.height));
  };
  return {across(left.x), down(top.y), across(right.x) - across(left.x),
          down(bottom.y) - down(top.y)};
}

}  // namespace

std::array<Point, 4> corners_of(const RotatedBox& box) {
  const float cosine = std::cos(box.angle);
  const float sine = std::sin(box.angle);
  const Point along{box.width / 2 * cosine, box.width / 2 * sine};
  const Point across{-box.height / 2 * sine, box.height / 2 * cosine};
  const float x = box.centre_x;
  const float y = box.centre_y;
  return {{{x + along.x + across.x, y + along.y + across.y},
           {x + along.x - across.x, y + along.y - across.y},
           {x - along.x - across.x, y - along.y - across.y},
           {x - along.x + across.x, y - along.y + across.y}}};
}

bool RotatedCandidate::is_box() const {
  // Far beyond every input, and far below a pixel: what is computed of others keeps its digits.
  constexpr float kFar = 1e6F;
  constexpr float kTiny = 1e-6F;
  constexpr float kTurns = 1e3F;
  return box.width > kTiny && box.height > kTiny && box.width < kFar && box.height < kFar &&
         std::abs(box.centre_x) < kFar && std::abs(box.centre_y) < kFar &&
         std::abs(box.angle) < kTurns;
}

RotatedSuppressor::Gaussian::Gaussian(const RotatedBox& box) : x(box.centre_x), y(box.centre_y) {
  const float wide = box.width * box.width / 12;
  const float high = box.height * box.height / 12;
  const float cosine = std::cos(box.angle);
  const float sine = std::sin(box.angle);
  a = wide * (cosine * cosine) + high * (sine * sine);
  b = wide * (sine * sine) + high * (cosine * cosine);
  c = (wide - high) * cosine * sine;
}

float RotatedSuppressor::likeness(const Gaussian& left, const Gaussian& right) {
  const float a = left.a + right.a;
  const float b = left.b + right.b;
  const float c = left.c + right.c;
  const float down = left.y - right.y;
  const float across = left.x - right.x;
  const float both = a * b - c * c;
  const float straight = (a * (down * down) + b * (across * across)) / (both + kLittle) * 0.25F;
  const float askew = c * -across * down / (both + kLittle) * 0.5F;
  const float own = std::max(left.a * left.b - left.c * left.c, 0.0F) *
                    std::max(right.a * right.b - right.c * right.c, 0.0F);
  const float shape = std::log(both / (4 * std::sqrt(own) + kLittle) + kLittle) * 0.5F;
  const float distance = std::clamp(straight + askew + shape, kLittle, 100.0F);
  return 1 - std::sqrt(1.0F - std::exp(-distance) + kLittle);
}

float probabilistic_iou(const RotatedBox& left, const RotatedBox& right) {
  using Gaussian = RotatedSuppressor::Gaussian;
  return RotatedSuppressor::likeness(Gaussian(left), Gaussian(right));
}

std::vector<RotatedCandidate>& RotatedSuppressor::start() {
  candidates_.clear();
  return candidates_;
}

void RotatedSuppressor::sort() {
  std::sort(candidates_.begin(), candidates_.end(),
            [](const RotatedCandidate& a, const RotatedCandidate& b) {
              return a.score > b.score || (a.score == b.score && a.anchor < b.anchor);
            });
}

const std::vector<RotatedCandidate>& RotatedSuppressor::suppress(const DetectionOptions& options) {
  sort();
  if (candidates_.size() > options.max_candidates) candidates_.resize(options.max_candidates);
  const bool is_agnostic = options.suppression == DetectionOptions::Suppression::agnostic;
  const float far = 4 * largest_distance(options.iou);
  kept_.clear();
  seen_.clear();
  for (const RotatedCandidate& candidate : candidates_) {
    if (kept_.size() == options.max_detections) break;
    constexpr float kClassStep = 7680;  // as among upright boxes
    RotatedBox box = candidate.box;
    if (!is_agnostic) {
      box.centre_x += static_cast<float>(candidate.class_id) * kClassStep;
      box.centre_y += static_cast<float>(candidate.class_id) * kClassStep;
    }
    const Gaussian& own = seen_.emplace_back(box);
    bool is_dropped = false;
    for (std::size_t i = 0; i + 1 < seen_.size() && !is_dropped; ++i) {
      if (!is_agnostic && candidates_[i].class_id != candidate.class_id) continue;
      const Gaussian& better = seen_[i];
      const float across = own.x - better.x;
      const float down = own.y - better.y;
      // No variance along any direction is more than the sum of both: spares most pairs the rest.
      if (across * across + down * down > far * (own.a + own.b + better.a + better.b)) continue;
      is_dropped = likeness(better, own) > options.iou;
    }
    if (!is_dropped) kept_.push_back(candidate);
  }
  return kept_;
}

const std::vector<RotatedCandidate>& RotatedSuppressor::best(const DetectionOptions& options) {
  sort();
  if (candidates_.size() > options.max_detections) candidates_.resize(options.max_detections);
  return candidates_;
}

void map_back(std::span<const RotatedCandidate> candidates, const LetterboxPlan& plan,
              Findings& into) {
  into.detections.clear();
  into.rotated.clear();
  for (const RotatedCandidate& candidate : candidates) {
    const RotatedBox box = in_picture(candidate.box, plan);
    const Box upright = around(box, plan.source);
    if (!has_area(upright)) continue;
    into.rotated.push_back(box);
    into.detections.push_back({candidate.class_id, candidate.score, upright});
  }
}

}  // namespace andon::vision
