// SPDX-License-Identifier: Apache-2.0
#include "vision/pixels/letterbox.hpp"

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
  EXPECT_FLOAT_EQ(tensor[0], static_cast<float>(image.rgb[0]) / 255.0F);
  EXPECT_FLOAT_EQ(tensor[64 * 64], static_cast<float>(image.rgb[1]) / 255.0F);
  EXPECT_FLOAT_EQ(tensor[2 * 64 * 64 + 1], static_cast<float>(image.rgb[5]) / 255.0F);
}

TEST(Letterbox, GivesTheSameValuesInEveryKernel) {
  const Size target{96, 64};
  for (const Size size : {Size{1, 1}, Size{2, 3}, Size{97, 65}, Size{192, 128}, Size{192, 126},
                          Size{200, 31}, Size{450, 300}, Size{33, 500}, Size{95, 64}}) {
    const Image image = noise(size);
    Letterboxer portable(target, {}, portable_kernels());
    const auto expected = fill(portable, image, target);
    for (const PixelKernels* kernels : usable_kernels()) {
      Letterboxer other(target, {}, *kernels);
      EXPECT_EQ(fill(other, image, target), expected)
          << kernels->name << " " << size.width << "x" << size.height;
    }
  }
}

TEST(PixelKernels, AgreeOnEveryLengthOfARow) {
  std::mt19937 random(3);
  std::vector<std::uint8_t> upper(3 * 2 * 130);
  std::vector<std::uint8_t> lower(upper.size());
  for (auto& byte : upper) byte = static_cast<std::uint8_t>(random());
  for (auto& byte : lower) byte = static_cast<std::uint8_t>(random());
  const auto all = [&](const PixelKernels& kernels, std::size_t pixels) {
    std::vector<std::uint8_t> halved(3 * pixels, 7);
    kernels.halve_rows(upper.data(), lower.data(), pixels, halved.data());
    std::vector<float> values(3 * pixels + 1, -1);
    kernels.planar_floats(upper.data(), pixels, 255,
                          {&values[0], &values[pixels], &values[2 * pixels]});
    values.insert(values.end(), halved.begin(), halved.end());
    return values;
  };
  for (std::size_t pixels = 0; pixels <= 130; ++pixels) {
    const auto expected = all(portable_kernels(), pixels);
    for (const PixelKernels* kernels : usable_kernels()) {
      EXPECT_EQ(all(*kernels, pixels), expected) << kernels->name << " " << pixels;
    }
  }
}

TEST(PixelKernels, MixColoursAlikeOnEveryLengthOfARow) {
  std::mt19937 random(4);
  std::array<std::vector<std::uint8_t>, 6> planes;
  for (auto& plane : planes) {
    plane.resize(2 * 130);
    // Half of them at the ends of the range, where a colour leaves it.
    for (auto& byte : plane) {
      const auto value = static_cast<std::uint8_t>(random());
      byte = random() % 2 == 0 ? value : static_cast<std::uint8_t>(value < 128 ? 0 : 255);
    }
  }
  const YcbcrRow upper{planes[0].data(), planes[1].data(), planes[2].data()};
  const YcbcrRow lower{planes[3].data(), planes[4].data(), planes[5].data()};
  const auto all = [&](const PixelKernels& kernels, std::size_t pixels) {
    std::vector<std::uint8_t> bytes(3 * pixels + 1, 7);
    kernels.mix_colours(upper, pixels, bytes.data());
    std::vector<std::uint8_t> wide(2 * pixels + 1, 7);
    for (const ChromaRounding rounding : {ChromaRounding{8, 7}, ChromaRounding{4, 8}}) {
      if (pixels > 0) {
        kernels.widen_chroma(upper.blue, lower.blue, pixels, rounding, wide.data());
      }
      bytes.insert(bytes.end(), wide.begin(), wide.end());
    }
    std::vector<float> values(3 * pixels + 1, -1);
    kernels.mix_and_halve(upper, lower, pixels, 255,
                          {&values[0], &values[pixels], &values[2 * pixels]});
    values.insert(values.end(), bytes.begin(), bytes.end());
    return values;
  };
  for (std::size_t pixels = 0; pixels <= 130; ++pixels) {
    const auto expected = all(portable_kernels(), pixels);
    for (const PixelKernels* kernels : usable_kernels()) {
      EXPECT_EQ(all(*kernels, pixels), expected) << kernels->name << " " << pixels;
    }
  }
}

TEST(PixelKernels, MixEveryColourAlike) {
  std::vector<std::uint8_t> luma(256 * 256);
  std::vector<std::uint8_t> blue(luma.size());
  std::vector<std::uint8_t> red(luma.size());
  for (std::size_t i = 0; i < luma.size(); ++i) {
    luma[i] = static_cast<std::uint8_t>(i * 7);
    blue[i] = static_cast<std::uint8_t>(i / 256);
    red[i] = static_cast<std::uint8_t>(i % 256);
  }
  const YcbcrRow row{luma.data(), blue.data(), red.data()};
  std::vector<std::uint8_t> expected(3 * luma.size());
  portable_kernels().mix_colours(row, luma.size(), expected.data());
  for (const PixelKernels* kernels : usable_kernels()) {
    std::vector<std::uint8_t> rgb(expected.size());
    kernels->mix_colours(row, luma.size(), rgb.data());
    EXPECT_TRUE(rgb == expected) << kernels->name;
  }
}

TEST(Letterbox, PutsYoloxPicturesInTheCornerAsTheyAre) {
  Preprocessing preprocessing;
  preprocessing.fit = Fit::letterbox_top_left;
  preprocessing.channels = Preprocessing::Channels::bgr;
  preprocessing.divisor = 1;
  Letterboxer letterboxer({8, 8}, preprocessing);
  const Image image{{8, 4}, std::vector<std::uint8_t>(96, 10)};
  Image coloured = image;
  coloured.rgb[0] = 200;
  std::vector<float> tensor(3 * 64);
  const LetterboxPlan plan = letterboxer.fill(coloured, tensor);
  EXPECT_EQ(plan.top, 0);
  EXPECT_EQ(tensor[0], 10);        // blue
  EXPECT_EQ(tensor[2 * 64], 200);  // red
  EXPECT_EQ(tensor[4 * 8], 114);   // below the picture
  EXPECT_EQ(tensor[2 * 64 + 7 * 8], 114);
  // Sides are rounded down there, and the ratio is one for both.
  const LetterboxPlan uneven = plan_letterbox({450, 299}, {320, 320}, Fit::letterbox_top_left);
  EXPECT_EQ(uneven.scaled, (Size{320, 212}));
  EXPECT_DOUBLE_EQ(uneven.ratio_y, 320.0 / 450);
}

TEST(Letterbox, CutsTheLongSideInTheMiddle) {
  Preprocessing preprocessing;
  preprocessing.fit = Fit::centre_crop;
  preprocessing.divisor = 1;
  preprocessing.mean = {1, 0, 0};
  preprocessing.deviation = {2, 1, 1};
  Letterboxer letterboxer({4, 4}, preprocessing);
  Image image{{8, 4}, std::vector<std::uint8_t>(96)};
  for (std::size_t i = 0; i < 32; ++i) image.rgb[3 * i] = static_cast<std::uint8_t>(10 * (i % 8));
  std::vector<float> tensor(3 * 16);
  const LetterboxPlan plan = letterboxer.fill(image, tensor);
  EXPECT_EQ(plan.left, -2);
  EXPECT_EQ(tensor[0], (20 - 1) / 2.0F);
  EXPECT_EQ(tensor[3], (50 - 1) / 2.0F);
}

TEST(Letterbox, StretchesWithARatioForEachSide) {
  const LetterboxPlan plan = plan_letterbox({200, 50}, {100, 100}, Fit::stretch);
  EXPECT_EQ(plan.scaled, (Size{100, 100}));
  EXPECT_DOUBLE_EQ(plan.ratio_x, 0.5);
  EXPECT_DOUBLE_EQ(plan.ratio_y, 2.0);
}

TEST(Letterbox, FindsTheSmallestInputInWholeStrides) {
  EXPECT_EQ(smallest_input({450, 300}, {640, 640}, 32), (Size{640, 448}));
  EXPECT_EQ(smallest_input({300, 450}, {640, 640}, 32), (Size{448, 640}));
  EXPECT_EQ(smallest_input({1280, 1024}, {640, 640}, 32), (Size{640, 512}));
  EXPECT_EQ(smallest_input({64, 64}, {640, 640}, 32), (Size{640, 640}));
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

// The pixels of `planes` (3 * height * width) two by two, as bytes.
std::vector<std::uint8_t> in_squares(const std::vector<float>& planes, Size size) {
  const auto width = static_cast<std::size_t>(size.width);
  const auto height = static_cast<std::size_t>(size.height);
  std::vector<std::uint8_t> squares(planes.size());
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const std::size_t square = (y / 2) * (width / 2) + x / 2;
        squares[square * 12 + (y % 2) * 6 + (x % 2) * 3 + c] =
            static_cast<std::uint8_t>(planes[(c * height + y) * width + x]);
      }
    }
  }
  return squares;
}

// As a JPEG holds it, with colours at half the resolution.
Image noise_in_planes(Size size) {
  std::mt19937 random(9);
  Image image{size, {}};
  image.has_planes = true;
  YcbcrPlanes& planes = image.planes;
  planes.chroma = YcbcrPlanes::Chroma::half_columns_and_rows;
  planes.luma_row_bytes = static_cast<std::size_t>(size.width + 1);
  planes.chroma_row_bytes = static_cast<std::size_t>(size.width / 2 + 1);
  planes.chroma_rows = (size.height + 1) / 2;
  planes.luma.resize(planes.luma_row_bytes * static_cast<std::size_t>(size.height));
  planes.blue.resize(planes.chroma_row_bytes * static_cast<std::size_t>(planes.chroma_rows));
  planes.red.resize(planes.blue.size());
  for (auto* plane : {&planes.luma, &planes.blue, &planes.red}) {
    for (auto& value : *plane) value = static_cast<std::uint8_t>(random());
  }
  return image;
}

TEST(Letterbox, WritesTheSamePixelsInSquaresOfBytes) {
  const Size target{96, 64};
  for (const Fit fit : {Fit::letterbox, Fit::letterbox_top_left, Fit::stretch, Fit::centre_crop}) {
    for (const auto channels : {Preprocessing::Channels::rgb, Preprocessing::Channels::bgr}) {
      for (const auto resample :
           {Preprocessing::Resample::opencv, Preprocessing::Resample::bilinear}) {
        Preprocessing preprocessing;
        preprocessing.fit = fit;
        preprocessing.channels = channels;
        preprocessing.resample = resample;
        preprocessing.divisor = 1;
        Letterboxer floats(target, preprocessing);
        Letterboxer bytes(target, preprocessing);
        std::vector<std::uint8_t> squares(96 * 64 * 3);
        std::vector<float> planes(squares.size());
        for (const Size size :
             {Size{1, 1}, Size{2, 3}, Size{97, 65}, Size{96, 64}, Size{192, 128}, Size{192, 126},
              Size{200, 31}, Size{33, 500}, Size{95, 64}, Size{93, 64}, Size{190, 128}}) {
          for (const Image& image : {noise(size), noise_in_planes(size)}) {
            bytes.fill(image, squares);
            floats.fill(image, planes);
            EXPECT_EQ(squares, in_squares(planes, target))
                << size.width << "x" << size.height << " " << image.has_planes;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace andon::vision
