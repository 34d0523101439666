// SPDX-License-Identifier: Apache-2.0
#include "plate.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

namespace metal_tags {
namespace {

int whole(double value) {
  return static_cast<int>(std::lround(value));
}

cv::Mat noise(cv::Size size, double deviation, Random& random) {
  cv::Mat field(size, CV_32F);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      field.at<float>(y, x) = static_cast<float>(random.normal(deviation));
    }
  }
  return field;
}

// Noise with structure of about `grain` pixels, of the given deviation.
cv::Mat soft_noise(cv::Size size, cv::Size2d grain, double deviation, Random& random) {
  const cv::Size coarse(std::max(2, whole(size.width / grain.width)),
                        std::max(2, whole(size.height / grain.height)));
  cv::Mat field;
  cv::resize(noise(coarse, deviation, random), field, size, 0, 0, cv::INTER_CUBIC);
  return field;
}

void fill_rounded(cv::Mat& mask, const cv::Rect& rect, int radius) {
  const cv::Scalar on(1);
  cv::rectangle(mask, {rect.x + radius, rect.y, rect.width - 2 * radius, rect.height}, on, -1);
  cv::rectangle(mask, {rect.x, rect.y + radius, rect.width, rect.height - 2 * radius}, on, -1);
  for (const int x : {rect.x + radius, rect.x + rect.width - radius - 1}) {
    for (const int y : {rect.y + radius, rect.y + rect.height - radius - 1}) {
      cv::circle(mask, {x, y}, radius, on, -1);
    }
  }
}

void draw_hole(Plate& plate, double scale, Random& random) {
  const bool at_top_left = random.chance(0.85);
  const double inset_x = scale * random.uniform(24, 29);
  const double inset_y = scale * random.uniform(22, 27);
  const cv::Rect& outline = plate.outline;
  const cv::Point centre =
      at_top_left ? cv::Point(whole(outline.x + inset_x), whole(outline.y + inset_y))
                  : cv::Point(whole(outline.br().x - inset_x), whole(outline.br().y - inset_y));
  const int radius = whole(scale * random.uniform(9, 10.5));
  cv::circle(plate.surface, centre, radius + whole(scale), cv::Scalar(130), -1, cv::LINE_AA);
  cv::circle(plate.coverage, centre, radius, cv::Scalar(0), -1);
}

// A patch of finger mark: speckles that thin out towards its rim.
void draw_finger_mark(Plate& plate, double scale, Random& random) {
  const cv::Size size = plate.surface.size();
  cv::Mat shape = cv::Mat::zeros(size, CV_32F);
  const cv::Point centre(random.integer(plate.outline.x, plate.outline.br().x),
                         random.integer(plate.outline.y, plate.outline.br().y));
  const cv::Size axes(whole(scale * random.uniform(8, 40)), whole(scale * random.uniform(6, 22)));
  cv::ellipse(shape, centre, axes, random.uniform(0, 180), 0, 360, cv::Scalar(1), -1);
  cv::GaussianBlur(shape, shape, {}, scale * 5);
  const double grain = scale * random.uniform(1, 2.5);
  cv::Mat speckle = soft_noise(size, {grain, grain}, 1, random);
  cv::max(speckle - random.uniform(0.4, 1.2), 0, speckle);
  plate.surface += shape.mul(speckle) * random.uniform(10, 32);
  plate.surface += shape * random.uniform(0, 6);
}

// A hair or an old, polished mark: long, thin and hardly brighter than the plate.
void draw_hair(Plate& plate, double scale, Random& random) {
  cv::Point2d at(random.uniform(plate.outline.x, plate.outline.br().x),
                 random.uniform(plate.outline.y, plate.outline.br().y));
  double direction = random.uniform(0, 2 * std::numbers::pi);
  cv::Mat layer = cv::Mat::zeros(plate.surface.size(), CV_8U);
  const int steps = random.integer(8, 40);
  for (int i = 0; i < steps; ++i) {
    direction += random.normal(0.12);
    const cv::Point2d next = at + scale * 3 * cv::Point2d(std::cos(direction), std::sin(direction));
    cv::line(layer, {whole(at.x), whole(at.y)}, {whole(next.x), whole(next.y)}, cv::Scalar(255), 1,
             cv::LINE_AA);
    at = next;
  }
  cv::Mat light;
  layer.convertTo(light, CV_32F, random.uniform(5, 18) / 255);
  plate.surface += light;
}

void draw_dust(Plate& plate, double scale, Random& random) {
  const int specks = random.integer(1, 6);
  for (int i = 0; i < specks; ++i) {
    const cv::Point at(random.integer(plate.outline.x, plate.outline.br().x),
                       random.integer(plate.outline.y, plate.outline.br().y));
    cv::circle(plate.surface, at, whole(scale * random.uniform(0.4, 1.1)),
               cv::Scalar(random.uniform(110, 190)), -1, cv::LINE_AA);
  }
}

}  // namespace

Plate draw_plate(cv::Size canvas, double scale, Random& random) {
  Plate plate;
  const cv::Size size(whole(scale * random.uniform(390, 397)),
                      whole(scale * random.uniform(240, 246)));
  plate.outline = {{(canvas.width - size.width) / 2, (canvas.height - size.height) / 2}, size};
  const int rim = whole(scale * 12);
  plate.scratchable = {plate.outline.x + rim, plate.outline.y + rim, size.width - 2 * rim,
                       size.height - 2 * rim};

  const double grey = random.uniform(62, 92);
  plate.surface = cv::Mat(canvas, CV_32F, cv::Scalar(grey));
  // Brushed: long along the tag, short across it.
  plate.surface += soft_noise(canvas, {scale * 60, scale * 1.2}, random.uniform(0.5, 1.6), random);
  plate.surface += soft_noise(canvas, {scale * 90, scale * 70}, random.uniform(0.5, 2.5), random);
  plate.surface += soft_noise(canvas, {scale, scale}, random.uniform(1, 2.2), random);

  plate.coverage = cv::Mat::zeros(canvas, CV_32F);
  fill_rounded(plate.coverage, plate.outline, whole(scale * random.uniform(4, 7)));
  plate.outline_mask = plate.coverage.clone();
  // The bevelled rim is darker, with worn bright spots.
  cv::Mat inner;
  cv::GaussianBlur(plate.coverage, inner, {}, scale * 1.5);
  plate.surface = plate.surface.mul(cv::max(0.45, cv::min(1.0, inner * 2 - 0.9)));
  draw_hole(plate, scale, random);
  cv::GaussianBlur(plate.coverage, plate.coverage, {}, scale * 0.4);
  return plate;
}

void draw_smudges(Plate& plate, int count, double scale, Random& random) {
  for (int i = 0; i < count; ++i) {
    const double kind = random.uniform(0, 1);
    if (kind < 0.5) {
      draw_finger_mark(plate, scale, random);
    } else if (kind < 0.8) {
      draw_hair(plate, scale, random);
    } else {
      draw_dust(plate, scale, random);
    }
  }
}

void draw_stamped_text(Plate& plate, double scale, Random& random) {
  const std::string text = "SN " + std::to_string(random.integer(100000, 999999));
  const cv::Point at(plate.outline.x + whole(scale * random.uniform(70, 140)),
                     plate.outline.y + whole(scale * random.uniform(150, 210)));
  const int thickness = whole(scale * 2);
  // Pressed in: a dark flank, and a bright one where the light falls.
  const int offset = whole(scale * 0.8);
  cv::putText(plate.surface, text, at + cv::Point(offset, offset), cv::FONT_HERSHEY_DUPLEX,
              scale * 0.9, cv::Scalar(115), thickness, cv::LINE_AA);
  cv::putText(plate.surface, text, at, cv::FONT_HERSHEY_DUPLEX, scale * 0.9, cv::Scalar(40),
              thickness, cv::LINE_AA);
}

cv::Mat draw_fixture(cv::Size canvas, const cv::Mat& outline_mask, double scale, Random& random) {
  cv::Mat fixture(canvas, CV_32F, cv::Scalar(random.uniform(285, 330)));  // over the white
  for (const bool above : {true, false}) {
    if (!above && random.chance(0.4)) continue;
    // A rail: steps of grey side by side, with thin dark seams along it.
    double x = canvas.width * random.uniform(0.2, 0.36);
    const double end = canvas.width * random.uniform(0.58, 0.72);
    const int depth = canvas.height / 4;
    const int top = above ? 0 : canvas.height - depth;
    while (x < end) {
      const double next = std::min(end, x + canvas.width * random.uniform(0.06, 0.25));
      const double grey = random.chance(0.4) ? random.uniform(180, 250) : random.uniform(40, 175);
      cv::rectangle(fixture, {whole(x), top, whole(next - x), depth}, cv::Scalar(grey), -1);
      x = next;
    }
    const int seams = random.integer(0, 3);
    for (int i = 0; i < seams; ++i) {
      const int y = whole(above ? scale * random.uniform(0, 30)
                                : canvas.height - scale * random.uniform(0, 25));
      cv::line(fixture, {whole(canvas.width * 0.28), y}, {whole(canvas.width * 0.66), y},
               cv::Scalar(random.uniform(60, 160)), whole(scale * random.uniform(0.5, 1.4)));
    }
  }
  if (random.chance(0.7)) {
    // The plate's own shadow, to one side.
    const double reach = scale * random.uniform(3, 11) * (random.chance(0.85) ? -1 : 1);
    const cv::Mat aside = (cv::Mat_<double>(2, 3) << 1, 0, reach, 0, 1, 0);
    cv::Mat shadow;
    cv::warpAffine(outline_mask, shadow, aside, canvas);
    // Light comes through the hole, so the shadow ends at the plate's edge.
    fixture = fixture.mul(1 - 0.85 * cv::max(shadow - outline_mask, 0));
  }
  cv::GaussianBlur(fixture, fixture, {}, scale * 0.6);
  return fixture;
}

}  // namespace metal_tags
