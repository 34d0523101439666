// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/drawing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "vision/draw/canvas.hpp"
#include "vision/draw/verdict.hpp"

namespace andon::inspect {
namespace {

vision::Image grey_picture() {
  vision::Image image{{640, 400}, {}};
  image.rgb.assign(image.row_bytes() * 400, 128);
  return image;
}

bool has_colour(const vision::Image& image, int top, int bottom, vision::Colour colour) {
  for (int y = top; y < bottom; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      const std::uint8_t* pixel = image.row(y) + static_cast<std::size_t>(x) * 3;
      if (vision::Colour{pixel[0], pixel[1], pixel[2]} == colour) return true;
    }
  }
  return false;
}

TEST(Drawing, SaysWhatWasFoundInABarBelow) {
  const vision::Image picture = grey_picture();
  Inspection inspection;
  inspection.size = picture.size;
  const vision::Image nothing = draw(picture, inspection);
  EXPECT_EQ(nothing.size.height, 400 + vision::verdict_height(picture.size));
  EXPECT_TRUE(std::equal(picture.rgb.begin(), picture.rgb.end(), nothing.rgb.begin()));
  inspection.detections = {{{1, 0.9F, {100, 100, 80, 60}}, "dent"},
                           {{0, 0.8F, {300, 200, 80, 60}}, "scratch"}};
  const vision::Image found = draw(picture, inspection);
  EXPECT_NE(found.rgb, nothing.rgb);
  for (const int class_id : {0, 1}) {  // in the picture and in the bar
    const vision::Colour colour = vision::class_colour(class_id);
    EXPECT_TRUE(has_colour(found, 0, 400, colour)) << class_id;
    EXPECT_TRUE(has_colour(found, 400, found.size.height, colour)) << class_id;
  }
  EXPECT_FALSE(has_colour(found, 400, found.size.height, vision::class_colour(2)));
  inspection.verdict = Verdict{Judgement::doubt, "one dent is allowed"};
  EXPECT_TRUE(has_colour(draw(picture, inspection), 400, found.size.height, {245, 158, 11}));
  inspection.verdict.reset();
  inspection.detections.clear();
  inspection.classes = {{{2, 0.7F}, "good"}, {{3, 0.3F}, "bad"}};
  EXPECT_TRUE(
      has_colour(draw(picture, inspection), 400, found.size.height, vision::class_colour(2)));
}

TEST(Drawing, TintsMasksInTheColourOfTheirClass) {
  const vision::Image picture = grey_picture();
  Inspection inspection;
  inspection.detections = {{{0, 0.9F, {100, 100, 80, 60}}, ""},
                           {{1, 0.8F, {300, 200, 80, 60}}, ""}};
  // A pixel each: (120, 120) and (320, 220), by column.
  inspection.masks = {{picture.size, {120 * 400 + 120, 1}}, {picture.size, {320 * 400 + 220, 1}}};
  const vision::Image drawn = draw(picture, inspection);
  const auto half = [](int value) { return static_cast<std::uint8_t>((128 + value) / 2); };
  for (const auto& [x, y, class_id] : {std::array{120, 120, 0}, std::array{320, 220, 1}}) {
    const std::uint8_t* pixel = drawn.row(y) + static_cast<std::size_t>(x) * 3;
    const vision::Colour colour = vision::class_colour(class_id);
    EXPECT_EQ(pixel[0], half(colour.red));
    EXPECT_EQ(pixel[2], half(colour.blue));
  }
}

TEST(Drawing, NamesAFileThatAFileSystemTakes) {
  EXPECT_EQ(annotated_name("a.JPG"), "a.JPG");
  EXPECT_EQ(annotated_name("line-1/a.png"), "line-1/a.png.jpg");
  const std::string one = std::string(251, 'n') + ".png";
  const std::string other = std::string(251, 'n') + ".bmp";
  EXPECT_EQ(annotated_name(one).string().size(), 255U);
  EXPECT_NE(annotated_name(one), annotated_name(other));
  EXPECT_EQ(annotated_name("d/" + one), "d" / annotated_name(one));
}

}  // namespace
}  // namespace andon::inspect
