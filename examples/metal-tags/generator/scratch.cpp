// SPDX-License-Identifier: Apache-2.0
#include "scratch.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace metal_tags {
namespace {

struct Path {
  cv::Point2d start;
  cv::Point2d bend;  // of a quadratic Bezier curve
  cv::Point2d end;

  [[nodiscard]] cv::Point2d at(double t) const {
    return (1 - t) * (1 - t) * start + 2 * t * (1 - t) * bend + t * t * end;
  }
};

Path random_path(const cv::Rect& area, double scale, Random& random) {
  while (true) {
    // Lengths as they are seen in the photographs: many short ones, few that cross the tag.
    const double length = scale * (30 + 170 * std::pow(random.uniform(0, 1), 1.6));
    const double angle = random.uniform(0, std::numbers::pi);
    const cv::Point2d along(std::cos(angle), std::sin(angle));
    const cv::Point2d across(-along.y, along.x);
    const cv::Point2d middle(random.uniform(area.x, area.x + area.width),
                             random.uniform(area.y, area.y + area.height));
    const double sag = random.chance(0.5) ? 0 : random.uniform(-0.18, 0.18) * length;
    const Path path{middle - along * length / 2, middle + across * sag,
                    middle + along * length / 2};
    const cv::Rect2d inside(area);
    if (inside.contains(path.start) && inside.contains(path.end) && inside.contains(path.bend)) {
      return path;
    }
  }
}

// How strong the scratch is along its length: 0 in the gaps of a broken one.
std::vector<double> strength_along(std::size_t steps, Random& random) {
  const bool is_broken = random.chance(0.45);
  const double gap_share = is_broken ? random.uniform(0.1, 0.35) : 0;
  std::vector<double> strength(steps, 1);
  std::size_t i = 0;
  while (i < steps) {
    const auto run = static_cast<std::size_t>(random.integer(3, 14));
    const double level =
        random.chance(gap_share) ? random.uniform(0, 0.12) : random.uniform(0.65, 1);
    for (std::size_t k = i; k < std::min(steps, i + run); ++k) strength[k] = level;
    i += run;
  }
  // The ends always show, so that the length of the box is the length that is seen.
  for (const std::size_t end : {std::size_t{0}, steps - 1}) strength[end] = 1;
  return strength;
}

void draw_strand(cv::Mat& light, const Path& path, double width, double contrast, double scale,
                 Random& random) {
  constexpr int kSubpixelBits = 4;
  const double length = cv::norm(path.end - path.start);
  const auto steps = std::max<std::size_t>(12, static_cast<std::size_t>(length / scale / 1.5));
  const std::vector<double> strength = strength_along(steps, random);
  const auto fixed = [](const cv::Point2d& point) {
    return cv::Point(static_cast<int>(std::lround(point.x * (1 << kSubpixelBits))),
                     static_cast<int>(std::lround(point.y * (1 << kSubpixelBits))));
  };
  for (std::size_t i = 0; i < steps; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(steps);
    const double next = static_cast<double>(i + 1) / static_cast<double>(steps);
    const double taper = std::min(1.0, 0.45 + 4 * std::min(t, 1 - t));
    const double thick = std::max(1.0, width * taper * random.uniform(0.65, 1.35));
    const cv::Point from = fixed(path.at(t));
    const cv::Point to = fixed(path.at(next));
    const int reach = static_cast<int>(thick) + 3;
    const cv::Rect box = cv::Rect(cv::Point(std::min(from.x, to.x) >> kSubpixelBits,
                                            std::min(from.y, to.y) >> kSubpixelBits) -
                                      cv::Point(reach, reach),
                                  cv::Point(std::max(from.x, to.x) >> kSubpixelBits,
                                            std::max(from.y, to.y) >> kSubpixelBits) +
                                      cv::Point(reach + 1, reach + 1)) &
                         cv::Rect({0, 0}, light.size());
    if (box.empty()) continue;
    cv::Mat segment = cv::Mat::zeros(box.size(), CV_8U);
    const cv::Point origin(box.x << kSubpixelBits, box.y << kSubpixelBits);
    cv::line(segment, from - origin, to - origin, cv::Scalar(255),
             static_cast<int>(std::lround(thick)), cv::LINE_AA, kSubpixelBits);
    cv::Mat level;
    segment.convertTo(level, CV_32F, contrast * strength[i] / 255);
    cv::Mat target = light(box);
    cv::max(target, level, target);
  }
}

}  // namespace

cv::Mat draw_scratch(cv::Size size, const cv::Rect& area, double scale, const ScratchStyle& style,
                     Random& random) {
  cv::Mat light = cv::Mat::zeros(size, CV_32F);
  const Path path = random_path(area, scale, random);
  const double faintness = random.chance(style.faint_share) ? 0.3 : 1;
  const double contrast =
      faintness * random.uniform(style.minimum_contrast, style.maximum_contrast);
  const double width =
      scale * (faintness < 1 ? random.uniform(0.8, 1.2) : random.uniform(0.9, 2.9));
  draw_strand(light, path, width, contrast, scale, random);
  const int strands = random.chance(0.2) ? random.integer(1, 3) : 0;
  for (int i = 0; i < strands; ++i) {
    const cv::Point2d shift(random.normal(3 * scale), random.normal(3 * scale));
    const double from = random.uniform(0, 0.5);
    const double to = random.uniform(from + 0.2, 1);
    const Path strand{path.at(from) + shift, path.at((from + to) / 2) + shift, path.at(to) + shift};
    draw_strand(light, strand, width * 0.5, contrast * 0.7, scale, random);
  }
  return light;
}

}  // namespace metal_tags
