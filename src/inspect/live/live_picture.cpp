// SPDX-License-Identifier: Apache-2.0
#include "inspect/live/live_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "inspect/results/drawing.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/pixels/resample.hpp"

namespace andon::inspect {
namespace {

vision::Image scaled_to(const vision::Image& image, vision::Size size) {
  if (size == image.size) return image;
  vision::Image scaled{size, {}};
  scaled.rgb.resize(scaled.row_bytes() * static_cast<std::size_t>(size.height));
  vision::Resampler resampler;
  resampler.plan(image.size, size, {0, 0, size.width, size.height},
                 vision::ResampleFilter::bilinear);
  int next = 0;
  for (int y = 0; y < size.height; ++y) {
    next = std::max(next, resampler.first_row(y));
    for (; next < resampler.end_row(y); ++next) resampler.add_row(next, image.row(next));
    resampler.write_row(y, scaled.row(y));
  }
  return scaled;
}

vision::Size size_within(vision::Size size, int max_side) {
  const int longer = std::max(size.width, size.height);
  if (longer <= max_side) return size;
  const double ratio = static_cast<double>(max_side) / longer;
  return {std::max(1, static_cast<int>(std::lround(size.width * ratio))),
          std::max(1, static_cast<int>(std::lround(size.height * ratio)))};
}

Inspection scaled_by(const Inspection& inspection, float ratio) {
  Inspection scaled = inspection;
  scaled.masks.clear();
  for (LabelledDetection& labelled : scaled.detections) {
    vision::Box& box = labelled.detection.box;
    box = {box.x * ratio, box.y * ratio, box.width * ratio, box.height * ratio};
  }
  for (vision::RotatedBox& box : scaled.rotated) {
    box = {box.centre_x * ratio, box.centre_y * ratio, box.width * ratio, box.height * ratio,
           box.angle};
  }
  for (vision::Keypoint& point : scaled.keypoints) {
    point.x *= ratio;
    point.y *= ratio;
  }
  return scaled;
}

}  // namespace

LivePicture draw_live(const vision::Image& image, const Inspection& inspection, int max_side,
                      std::size_t max_bytes) {
  constexpr std::array kQualities{80, 60, 40, 25};
  constexpr int kLeastSide = 64;
  LivePicture picture;
  for (int side = max_side;; side = side * 3 / 4) {
    const vision::Size size = size_within(image.size, side);
    const float ratio = static_cast<float>(size.width) / static_cast<float>(image.size.width);
    const vision::Image drawn = draw(scaled_to(image, size), scaled_by(inspection, ratio), {});
    picture.size = drawn.size;
    for (const int quality : kQualities) {
      picture.jpeg = vision::encode_jpeg(drawn, quality);
      if (picture.jpeg.size() <= max_bytes) return picture;
    }
    if (side <= kLeastSide) return picture;
  }
}

}  // namespace andon::inspect
