// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/figures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace andon::vision {
namespace {

Image grey(Size size) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), 100);
  return image;
}

bool is_drawn(const Image& image, int x, int y) {
  const std::uint8_t* pixel = image.rgb.data() + static_cast<std::size_t>(y) * image.row_bytes() +
                              static_cast<std::size_t>(x) * 3;
  return pixel[0] != 100 || pixel[1] != 100 || pixel[2] != 100;
}

TEST(DrawRotatedBox, DrawsItsSidesAndMarksWhereItPoints) {
  Image image = grey({400, 400});
  draw_rotated_box(image, {200, 200, 240, 120, std::numbers::pi_v<float> / 4}, 0);
  const float diagonal = std::sqrt(0.5F);
  const auto at = [&](float along, float across) {
    return is_drawn(image, static_cast<int>(200 + diagonal * (along - across)),
                    static_cast<int>(200 + diagonal * (along + across)));
  };
  EXPECT_TRUE(at(120, 0) && at(-120, 0) && at(0, 60) && at(0, -60));
  EXPECT_TRUE(at(120, 60) && at(-120, -60) && at(120, 30) && at(-60, 60));
  EXPECT_TRUE(at(117.5F, 0)) << "the dot of the side that the angle points to";
  EXPECT_FALSE(at(-117, 0) || at(0, 0) || at(0, 57) || at(0, 63) || at(90, 30));
  // Outside, and beyond all pictures: nothing to draw, and no harm.
  Image untouched = grey({100, 100});
  draw_rotated_box(untouched, {-500, 20, 60, 30, 1}, 3);
  draw_rotated_box(untouched, {3e9F, -INFINITY, 60, 30, 1}, 3);
  EXPECT_EQ(untouched.rgb, grey({100, 100}).rgb);
}

TEST(DrawKeypoints, LeavesOutThoseThatAreHardlySeen) {
  Image image = grey({100, 60});
  const std::vector<Keypoint> keypoints{{20, 30, 0.9F}, {50, 30, 0.2F}, {80, 30, std::nullopt}};
  draw_keypoints(image, keypoints, 1, Limbs::of_a_person);
  EXPECT_TRUE(is_drawn(image, 20, 30) && is_drawn(image, 80, 30));
  EXPECT_FALSE(is_drawn(image, 50, 30) || is_drawn(image, 35, 30));
}

TEST(DrawKeypoints, JoinsThoseOfAPerson) {
  std::vector<Keypoint> person(17, Keypoint{10, 10, 0.0F});
  person[5] = {20, 30, 0.9F};  // the shoulders
  person[6] = {80, 30, 0.9F};
  Image image = grey({100, 60});
  draw_keypoints(image, person, 1, Limbs::of_a_person);
  EXPECT_TRUE(is_drawn(image, 50, 30));
  Image apart = grey({100, 60});
  draw_keypoints(apart, person, 1, Limbs::none);
  EXPECT_FALSE(is_drawn(apart, 50, 30));
}

}  // namespace
}  // namespace andon::vision
