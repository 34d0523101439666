// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "vision/draw/canvas.hpp"

namespace andon::vision {
namespace {

// COCO's keypoints, from the nose (0) to the right ankle (16), and what lies between them.
constexpr std::size_t kPersonKeypoints = 17;
constexpr std::array<std::pair<std::size_t, std::size_t>, 19> kLimbs{{{15, 13},
                                                                      {13, 11},
                                                                      {16, 14},
                                                                      {14, 12},
                                                                      {11, 12},
                                                                      {5, 11},
                                                                      {6, 12},
                                                                      {5, 6},
                                                                      {5, 7},
                                                                      {6, 8},
                                                                      {7, 9},
                                                                      {8, 10},
                                                                      {1, 2},
                                                                      {0, 1},
                                                                      {0, 2},
                                                                      {1, 3},
                                                                      {2, 4},
                                                                      {3, 5},
                                                                      {4, 6}}};

float line_width(const Image& image) {
  constexpr float kPixelsPerWidth = 350;
  const auto longer = static_cast<float>(std::max(image.size.width, image.size.height));
  return std::clamp(longer / kPixelsPerWidth, 1.5F, 12.0F);
}

// Everything within `radius` of the way from one point to the other, smooth at its edge.
void stroke(Image& image, Point from, Point to, float radius, Colour colour) {
  // Far outside there is nothing to draw, and no pixel's number.
  constexpr float kOutside = 1e5F;
  for (const float place : {from.x, from.y, to.x, to.y}) {
    if (!(std::abs(place) < kOutside)) return;
  }
  const auto first = [&](float a, float b) {
    return std::max(static_cast<int>(std::floor(std::min(a, b) - radius - 1)), 0);
  };
  const auto last = [&](float a, float b, int limit) {
    return std::min(static_cast<int>(std::ceil(std::max(a, b) + radius + 1)), limit - 1);
  };
  const Point way{to.x - from.x, to.y - from.y};
  const float length = way.x * way.x + way.y * way.y;
  const int right = last(from.x, to.x, image.size.width);
  const int bottom = last(from.y, to.y, image.size.height);
  for (int y = first(from.y, to.y); y <= bottom; ++y) {
    for (int x = first(from.x, to.x); x <= right; ++x) {
      const Point at{static_cast<float>(x) + 0.5F - from.x, static_cast<float>(y) + 0.5F - from.y};
      const float along =
          length > 0 ? std::clamp((at.x * way.x + at.y * way.y) / length, 0.0F, 1.0F) : 0;
      const float distance = std::hypot(at.x - along * way.x, at.y - along * way.y);
      const float share = std::clamp(radius + 0.5F - distance, 0.0F, 1.0F);
      if (share <= 0) continue;
      fill(image, {x, y, x + 1, y + 1}, colour, share);
    }
  }
}

}  // namespace

void draw_rotated_box(Image& image, const RotatedBox& box, int class_id) {
  const std::array<Point, 4> corners = corners_of(box);
  const float radius = line_width(image) / 2;
  const Colour colour = class_colour(class_id);
  for (std::size_t i = 0; i < corners.size(); ++i) {
    stroke(image, corners.at(i), corners.at((i + 1) % corners.size()), radius, colour);
  }
  const Point front{(corners[0].x + corners[1].x) / 2, (corners[0].y + corners[1].y) / 2};
  stroke(image, front, front, 2.5F * radius + 1.5F, colour);
}

void draw_keypoints(Image& image, std::span<const Keypoint> keypoints, int class_id, Limbs limbs,
                    float least) {
  const auto is_seen = [&](const Keypoint& it) { return it.confidence.value_or(1) >= least; };
  const float width = line_width(image);
  const Colour colour = class_colour(class_id);
  if (limbs == Limbs::of_a_person && keypoints.size() == kPersonKeypoints) {
    for (const auto& [first, second] : kLimbs) {
      const Keypoint& from = keypoints[first];
      const Keypoint& to = keypoints[second];
      if (!is_seen(from) || !is_seen(to)) continue;
      stroke(image, {from.x, from.y}, {to.x, to.y}, width / 2, colour);
    }
  }
  for (const Keypoint& it : keypoints) {
    if (!is_seen(it)) continue;
    stroke(image, {it.x, it.y}, {it.x, it.y}, 3 * width, kBlack);
    stroke(image, {it.x, it.y}, {it.x, it.y}, 2.2F * width, colour);
  }
}

}  // namespace andon::vision
