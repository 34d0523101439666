// SPDX-License-Identifier: Apache-2.0
#include "vision/annotate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "vision/font.hpp"

namespace andon::vision {
namespace {

Image grey_picture(Size size) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), 128);
  return image;
}

bool is_changed(const Image& image, int x, int y) {
  const std::uint8_t* pixel = image.row(y) + static_cast<std::size_t>(x) * 3;
  return std::any_of(pixel, pixel + 3, [](std::uint8_t value) { return value != 128; });
}

TEST(Annotation, DrawsTheFrameAndLeavesTheInsideVisible) {
  Image image = grey_picture({200, 150});
  draw_boxes(image, std::vector<LabelledBox>{{{50, 60, 80, 40}, 0, ""}});
  EXPECT_TRUE(is_changed(image, 50, 60));
  EXPECT_TRUE(is_changed(image, 129, 99));
  EXPECT_TRUE(is_changed(image, 90, 60));
  EXPECT_FALSE(is_changed(image, 90, 80));
  EXPECT_FALSE(is_changed(image, 131, 80));
  EXPECT_FALSE(is_changed(image, 49, 80));
}

TEST(Annotation, WritesTheLabelAboveTheBoxOrInsideIt) {
  Image image = grey_picture({200, 150});
  draw_boxes(image, std::vector<LabelledBox>{{{50, 60, 80, 40}, 0, "scratch 0.87"}});
  EXPECT_TRUE(is_changed(image, 52, 55));
  Image at_the_top = grey_picture({200, 150});
  draw_boxes(at_the_top, std::vector<LabelledBox>{{{50, 0, 80, 40}, 0, "x"}});
  EXPECT_TRUE(is_changed(at_the_top, 52, 4));
}

TEST(Annotation, StaysInsideThePictureWhateverTheBox) {
  Image image = grey_picture({20, 10});
  const std::string label(300, 'W');
  draw_boxes(image, std::vector<LabelledBox>{{{-50, -50, 500, 500}, -7, label},
                                             {{19, 9, 1, 1}, 3, label},
                                             {{0, 0, 0, 0}, 1, label}});
  EXPECT_EQ(image.rgb.size(), 600U);
}

TEST(Annotation, DrawsAnAnomalyAsHeatWhereItIs) {
  // Hot in the right half of what the map covers, which is the left half of the picture.
  const Anomaly anomaly{0, {2, 1}, {0.2F, 0.6F}, {0, 0, 80, 40}};
  Image image = grey_picture({160, 40});
  draw_heat(image, anomaly);
  EXPECT_FALSE(is_changed(image, 10, 20));
  EXPECT_FALSE(is_changed(image, 90, 20));
  ASSERT_TRUE(is_changed(image, 70, 20));
  const std::uint8_t* hot = image.row(20) + std::size_t{70} * 3;
  EXPECT_GT(hot[0], 200);
  EXPECT_LT(hot[2], 60);
  const std::uint8_t* warm = image.row(20) + std::size_t{40} * 3;  // half way
  EXPECT_GT(warm[1], hot[1]);
}

TEST(Annotation, DrawsHeatByTheScaleThatIsGiven) {
  const Anomaly anomaly{0, {2, 1}, {0.2F, 0.6F}, {0, 0, 160, 40}};
  Image good = grey_picture({160, 40});
  draw_heat(good, anomaly, {0.7, 1.0});
  EXPECT_EQ(good.rgb, grey_picture({160, 40}).rgb);
  Image bad = grey_picture({160, 40});
  draw_heat(bad, anomaly, {0.0, 0.2});
  EXPECT_TRUE(is_changed(bad, 10, 20));
  Image none = grey_picture({160, 40});
  draw_heat(none, Anomaly{});
  draw_heat(none, {0, {2, 1}, {7, 7}, {0, 0, 160, 40}});
  draw_heat(none, {0, {1, 1}, {std::nanf("")}, {0, 0, 160, 40}}, {0, 1});
  EXPECT_EQ(none.rgb, grey_picture({160, 40}).rgb);
}

TEST(Font, HasInkForEveryVisibleCharacterAndNoTwoAlike) {
  for (char c = '!'; c <= '~'; ++c) {
    ASSERT_EQ(glyph(c).size(), 35U);
    EXPECT_NE(glyph(c).find('#'), std::string_view::npos) << c;
    for (char other = '!'; other < c; ++other) EXPECT_NE(glyph(c), glyph(other)) << c << other;
  }
  EXPECT_EQ(glyph('\xC3'), glyph('?'));
  EXPECT_EQ(glyph('\n'), glyph('?'));
}

}  // namespace
}  // namespace andon::vision
