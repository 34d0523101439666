// SPDX-License-Identifier: Apache-2.0
// Files that other programs wrote (tiffcp of libtiff 4.5, ImageMagick 6.9), of pictures that a
// formula gives: tests/fuzz/corpus/image_decode.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/os/file.hpp"
#include "vision/image/decode.hpp"

namespace andon::vision {
namespace {

using Colour = std::array<int, 3>;

// 40x36, every pixel within `tolerance` of what the formula says.
template <typename Formula>
void expect_picture(const std::string& name, int tolerance, const Formula& formula) {
  const base::fs::path path =
      base::fs::path(ANDON_SOURCE_DIR) / "tests/fuzz/corpus/image_decode" / name;
  ImageDecoder decoder;
  const Image& image = decoder.decode(base::read_file(path), name);
  ASSERT_EQ(image.size, (Size{40, 36})) << name;
  for (int y = 0; y < 36; ++y) {
    for (int x = 0; x < 40; ++x) {
      const Colour expected = formula(x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        const int found = image.row(y)[static_cast<std::size_t>(x) * 3 + c];
        ASSERT_LE(std::abs(found - expected.at(c)), tolerance)
            << name << " at " << x << "," << y << " channel " << c << ": " << found;
      }
    }
  }
}

Colour slope(int x, int y) {
  return {x * 6, y * 7, 255 - x * 3 - y * 3};
}

TEST(FilesOfOtherPrograms, OfBigTiffAreRead) {
  expect_picture("bigtiff_strips.tif", 0, slope);  // little-endian, LZW, predictor
  expect_picture("bigtiff_tiles.tif", 0, slope);   // big-endian, Deflate, predictor
}

TEST(FilesOfOtherPrograms, OfTiffInFourInksAreRead) {
  const auto printed = [](int x, int y) {
    const double light = 1 - x * 3 / 255.0;
    const auto channel = [&](int ink) { return static_cast<int>((255 - ink) * light + 0.5); };
    return Colour{channel(x * 6), channel(y * 7), channel(x * 2 + y * 2)};
  };
  expect_picture("cmyk.tif", 1, printed);
  expect_picture("cmyk_planes.tif", 1, printed);
}

TEST(FilesOfOtherPrograms, OfTiffWithJpegsInsideAreRead) {
  expect_picture("tiff_jpeg_ycbcr.tif", 8, slope);  // strips, half the colour
  expect_picture("tiff_jpeg_rgb.tif", 2, slope);    // tiles
  expect_picture("tiff_jpeg_grey.tif", 2, [](int x, int) { return Colour{x * 6, x * 6, x * 6}; });
}

TEST(FilesOfOtherPrograms, OfBmpInRunsAreRead) {
  constexpr std::array<Colour, 5> kColours{
      {{10, 20, 30}, {200, 0, 0}, {0, 200, 0}, {0, 0, 200}, {250, 240, 230}}};
  expect_picture("run_length_8.bmp", 0, [&](int x, int y) {
    return kColours.at(static_cast<std::size_t>((x / 8 + y / 9) % 5));
  });
}

// Written by hand; ImageMagick and Pillow read the same in it.
TEST(FilesOfOtherPrograms, OfBmpInRunsOfFourBitsAreReadAsTheyDo) {
  const std::string file = base::read_file(base::fs::path(ANDON_SOURCE_DIR) /
                                           "tests/fuzz/corpus/image_decode/run_length_4.bmp");
  ImageDecoder decoder;
  const Image& image = decoder.decode(file, "run_length_4.bmp");
  ASSERT_EQ(image.size, (Size{10, 4}));
  constexpr std::array<std::array<int, 10>, 4> kIndexes{{{0, 0, 0, 10, 11, 12, 13, 14, 5, 5},
                                                         {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                                         {4, 5, 6, 7, 8, 9, 9, 9, 9, 9},
                                                         {1, 2, 1, 2, 1, 2, 1, 3, 0, 3}}};
  constexpr std::array<int, 4> kReds{10, 200, 0, 0};
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 10; ++x) {
      const int index = kIndexes.at(static_cast<std::size_t>(y)).at(static_cast<std::size_t>(x));
      const int red = index < 4 ? kReds.at(static_cast<std::size_t>(index)) : 16 * index;
      EXPECT_EQ(image.row(y)[static_cast<std::size_t>(x) * 3], red) << x << "," << y;
    }
  }
}

}  // namespace
}  // namespace andon::vision
