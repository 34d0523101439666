// SPDX-License-Identifier: Apache-2.0
#include "vision/draw/annotate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "vision/draw/canvas.hpp"
#include "vision/draw/font.hpp"
#include "vision/draw/label_layout.hpp"
#include "vision/draw/verdict.hpp"

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

TEST(Annotation, LabelsThatOverlapGiveWayToStrongerOnes) {
  // The same box three times, and two that overlap it.
  const std::vector<Label> labels{{{100, 100, 120, 60}, 90, 20},
                                  {{100, 100, 120, 60}, 90, 20},
                                  {{100, 100, 120, 60}, 90, 20},
                                  {{110, 105, 120, 60}, 90, 20},
                                  {{95, 90, 120, 60}, 90, 20}};
  const auto corners = place_labels(labels, {400, 300});
  ASSERT_EQ(corners.size(), 5U);
  // Alone, and for the stronger of two: above the box.
  for (const std::size_t count : {1U, 2U}) {
    const auto first = place_labels(std::span(labels).first(count), {400, 300}).front();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->left, 100);
    EXPECT_EQ(first->top, 80);
  }
  for (std::size_t i = 0; i < corners.size(); ++i) {
    ASSERT_TRUE(corners[i]) << i;
    EXPECT_GE(corners[i]->left, 0);
    EXPECT_LE(corners[i]->left + 90, 400);
    for (std::size_t other = 0; other < i; ++other) {
      const bool apart = corners[i]->left >= corners[other]->left + 90 ||
                         corners[other]->left >= corners[i]->left + 90 ||
                         corners[i]->top >= corners[other]->top + 20 ||
                         corners[other]->top >= corners[i]->top + 20;
      EXPECT_TRUE(apart) << i << " lies on " << other;
    }
  }
}

TEST(Annotation, ALabelThatFindsNoPlaceIsLeftOutAndNotDrawnOverAnother) {
  // There is room for one.
  const std::vector<Label> labels(3, {{0, 0, 50, 24}, 50, 20});
  const auto corners = place_labels(labels, {50, 24});
  EXPECT_TRUE(corners[0]);
  EXPECT_FALSE(corners[1]);
  EXPECT_FALSE(corners[2]);
  EXPECT_FALSE(place_labels(std::vector<Label>{{{0, 0, 9, 9}, 51, 20}}, {50, 24})[0]);
  EXPECT_TRUE(place_labels({}, {50, 24}).empty());
}

TEST(Annotation, DrawsAllFramesBeforeAnyLabel) {
  // The weaker one's frame crosses the stronger one's label, wherever that stands.
  Image image = grey_picture({300, 200});
  draw_boxes(image, std::vector<LabelledBox>{{{4, 80, 100, 60}, 0, "scratch"},
                                             {{14, 20, 280, 150}, 1, ""}});
  const auto colour_at = [&](int x, int y) {
    const std::uint8_t* pixel = image.row(y) + static_cast<std::size_t>(x) * 3;
    return Colour{pixel[0], pixel[1], pixel[2]};
  };
  EXPECT_EQ(colour_at(14, 40), class_colour(1));
  for (int x = 4; x < 60; ++x) EXPECT_EQ(colour_at(x, 78), class_colour(0)) << x;
}

TEST(Annotation, LinesAndLettersGrowWithThePicture) {
  for (const int width : {450, 640, 4000}) {
    const Size picture{width, width * 3 / 4};
    const DrawingScale scale = drawing_scale(picture);
    EXPECT_GE(scale.letters, 12) << width;
    EXPECT_GE(scale.line, 2) << width;
    EXPECT_NEAR(scale.letters / width, 1.0 / 46, 0.006) << width;
    // Most names and their scores are narrower than half of the picture.
    EXPECT_LT(text_width("scratch 0.87", scale.letters), picture.width / 2.0) << width;
  }
}

TEST(Annotation, ClassesHaveColoursOfTheirOwn) {
  for (int one = 0; one < 20; ++one) {
    for (int other = 0; other < one; ++other) EXPECT_NE(class_colour(one), class_colour(other));
  }
  EXPECT_EQ(class_colour(3), class_colour(3));
  EXPECT_EQ(ink_on({240, 228, 66}), kBlack);
  EXPECT_EQ(ink_on({20, 20, 120}), kWhite);
}

TEST(Letters, AreDrawnInAnySizeWithSmoothEdgesAndWithoutTheirMarks) {
  const auto ink = [](std::string_view text, double height) {
    Image image = grey_picture({200, 60});
    draw_text(image, text, 4, 4, height, kBlack);
    double sum = 0;
    for (const std::uint8_t value : image.rgb) sum += (128 - value) / 128.0 / 3;
    return sum;
  };
  // Twice the height is four times the ink.
  EXPECT_NEAR(ink("Ag", 40) / ink("Ag", 20), 4, 0.5);
  EXPECT_EQ(ink("Verf\xC3\xA4rbung", 14), ink("Verfarbung", 14));
  EXPECT_EQ(ink("\xE5\x82\xB7", 14), ink("?", 14));
  EXPECT_EQ(ink("\xFF", 14), ink("?", 14));
  EXPECT_EQ(count_letters("Verf\xC3\xA4rbung"), 10U);
  EXPECT_EQ(cut_text("typography 0.61", 6), "typog.");
  EXPECT_EQ(cut_text("pit", 6), "pit");
  EXPECT_GT(ink("p", 20), 0);
  EXPECT_EQ(text_width("", 20), 0);
}

TEST(VerdictBar, StandsBelowThePictureAndCoversNothingOfIt) {
  const Image image = grey_picture({640, 400});
  Verdict verdict{Verdict::Lamp::green, "nothing found", {}};
  const Image good = with_verdict(image, verdict);
  EXPECT_EQ(good.size.width, 640);
  EXPECT_EQ(good.size.height, 400 + verdict_height(image.size));
  EXPECT_TRUE(std::equal(image.rgb.begin(), image.rgb.end(), good.rgb.begin()));
  verdict.lamp = Verdict::Lamp::red;
  EXPECT_NE(with_verdict(image, verdict).rgb, good.rgb);
}

TEST(VerdictBar, SaysHowManyMoreThereAreWhereThereIsNoRoom) {
  Verdict verdict{Verdict::Lamp::red, "90 found", {}};
  for (int i = 0; i < 30; ++i) verdict.entries.push_back({class_colour(i), "3 of a kind"});
  for (const int width : {1, 20, 100, 640}) {
    const Image image = grey_picture({width, 20});
    const Image shown = with_verdict(image, verdict);
    EXPECT_EQ(shown.size.width, width);
    EXPECT_EQ(shown.rgb.size(), shown.row_bytes() * static_cast<std::size_t>(shown.size.height));
  }
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
    ASSERT_EQ(glyph(c).size(), 45U);
    EXPECT_NE(glyph(c).find('#'), std::string_view::npos) << c;
    for (char other = '!'; other < c; ++other) EXPECT_NE(glyph(c), glyph(other)) << c << other;
  }
  EXPECT_EQ(glyph('\xC3'), glyph('?'));
  EXPECT_EQ(glyph('\n'), glyph('?'));
}

}  // namespace
}  // namespace andon::vision
