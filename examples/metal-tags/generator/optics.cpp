// SPDX-License-Identifier: Apache-2.0
#include "optics.hpp"

#include <opencv2/imgproc.hpp>

namespace metal_tags {
namespace {

// Light falls a little stronger on one side; a changed lamp makes that plain.
cv::Mat lamp_field(cv::Size size, const Drift& drift, Random& random) {
  const double slope = random.uniform(0.02, 0.1) + 0.5 * drift.lamp;
  const double angle = random.uniform(0, 2 * std::numbers::pi);
  const double level = random.uniform(0.92, 1.1) * (1 - 0.35 * drift.lamp);
  cv::Mat field(size, CV_32F);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double across = (x / static_cast<double>(size.width) - 0.5) * std::cos(angle) +
                            (y / static_cast<double>(size.height) - 0.5) * std::sin(angle);
      field.at<float>(y, x) = static_cast<float>(level * (1 + slope * across));
    }
  }
  return field;
}

void add_glare(cv::Mat& picture, Random& random) {
  cv::Mat glare = cv::Mat::zeros(picture.size(), CV_32F);
  const cv::Point at(random.integer(0, picture.cols), random.integer(0, picture.rows));
  cv::ellipse(glare, at, {random.integer(20, 90), random.integer(12, 50)}, random.uniform(0, 180),
              0, 360, cv::Scalar(1), -1);
  cv::GaussianBlur(glare, glare, {}, random.uniform(15, 35));
  picture += glare * random.uniform(4, 22);
}

void add_lens_dirt(cv::Mat& picture, double amount, Random& random) {
  cv::Mat shade = cv::Mat::ones(picture.size(), CV_32F);
  const int specks = static_cast<int>(amount * 14) + 1;
  for (int i = 0; i < specks; ++i) {
    cv::circle(shade, {random.integer(0, picture.cols), random.integer(0, picture.rows)},
               random.integer(3, 16), cv::Scalar(1 - amount * random.uniform(0.2, 0.6)), -1);
  }
  cv::GaussianBlur(shade, shade, {}, 4);
  picture = picture.mul(shade) * (1 - 0.15 * amount) + 25 * amount;
}

}  // namespace

cv::Mat photograph(const cv::Mat& scene, const Drift& drift, Random& random) {
  cv::Mat picture = scene.mul(lamp_field(scene.size(), drift, random));
  if (random.chance(0.4)) add_glare(picture, random);
  if (drift.lens > 0) add_lens_dirt(picture, drift.lens, random);
  cv::GaussianBlur(picture, picture, {}, random.uniform(0.35, 0.75) + 1.6 * drift.lens);
  const double deviation = random.uniform(0.6, 2.2);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      picture.at<float>(y, x) += static_cast<float>(random.normal(deviation));
    }
  }
  cv::Mat result;
  picture.convertTo(result, CV_8U);
  return result;
}

}  // namespace metal_tags
