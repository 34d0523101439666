// SPDX-License-Identifier: Apache-2.0
#include "vision/letterbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace andon::vision {
namespace {

Image noise(Size size) {
  std::mt19937 random(static_cast<unsigned>(size.width * 31 + size.height));
  std::uniform_int_distribution<int> byte(0, 255);
  Image image{size, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(size.height));
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(byte(random));
  return image;
}

std::vector<float> fill(Letterboxer& letterboxer, const Image& image, Size target) {
  std::vector<float> tensor(static_cast<std::size_t>(target.width) *
                            static_cast<std::size_t>(target.height) * 3);
  letterboxer.fill(image, tensor);
  return tensor;
}

TEST(Letterbox, PlansAsUltralyticsDoes) {
  const LetterboxPlan wide = plan_letterbox({1280, 1024}, {640, 640});
  EXPECT_EQ(wide.scaled, (Size{640, 512}));
  EXPECT_EQ(wide.top, 64);
  EXPECT_EQ(wide.left, 0);
  // 427 of 640 rows are used: the odd grey row goes below, by the -0.1 of Ultralytics.
  const LetterboxPlan odd = plan_letterbox({450, 300}, {640, 640});
  EXPECT_EQ(odd.scaled, (Size{640, 427}));
  EXPECT_EQ(odd.top, 106);
  const LetterboxPlan rectangle = plan_letterbox({450, 300}, {640, 448});
  EXPECT_EQ(rectangle.scaled, (Size{640, 427}));
  EXPECT_EQ(rectangle.top, 10);
}

TEST(Letterbox, KeepsAPixelOfTheThinnestPicture) {
  const LetterboxPlan plan = plan_letterbox({10'000, 1}, {320, 320});
  EXPECT_EQ(plan.scaled, (Size{320, 1}));
  Letterboxer letterboxer({320, 320});
  const auto tensor = fill(letterboxer, noise({10'000, 1}), {320, 320});
  EXPECT_FLOAT_EQ(tensor[0], 114.0F / 255.0F);
}

TEST(Letterbox, CopiesAPictureOfTheRightSizeUnchanged) {
  const Image image = noise({64, 64});
  Letterboxer letterboxer({64, 64});
  const auto tensor = fill(letterboxer, image, {64, 64});
  EXPECT_EQ(letterboxer.canvas().rgb, image.rgb);
  EXPECT_FLOAT_EQ(tensor[0], static_cast<float>(image.rgb[0]) / 255.0F);
  EXPECT_FLOAT_EQ(tensor[64 * 64], static_cast<float>(image.rgb[1]) / 255.0F);
  EXPECT_FLOAT_EQ(tensor[2 * 64 * 64 + 1], static_cast<float>(image.rgb[5]) / 255.0F);
}

TEST(Letterbox, GivesTheSameBytesInEveryKernel) {
  const Size target{96, 64};
  for (const Size size : {Size{1, 1}, Size{2, 3}, Size{97, 65}, Size{192, 128}, Size{200, 31},
                          Size{450, 300}, Size{33, 500}, Size{95, 64}}) {
    const Image image = noise(size);
    Letterboxer best(target, best_kernels());
    Letterboxer portable(target, portable_kernels());
    const auto tensor = fill(best, image, target);
    EXPECT_EQ(tensor, fill(portable, image, target)) << size.width << "x" << size.height;
    EXPECT_EQ(best.canvas().rgb, portable.canvas().rgb) << size.width << "x" << size.height;
  }
}

TEST(Letterbox, LeavesNoTraceOfThePictureBefore) {
  const Size target{96, 96};
  Letterboxer reused(target);
  (void)fill(reused, noise({96, 50}), target);
  const Image tall = noise({30, 96});
  const auto after = fill(reused, tall, target);
  Letterboxer fresh(target);
  EXPECT_EQ(after, fill(fresh, tall, target));
}

}  // namespace
}  // namespace andon::vision
