// SPDX-License-Identifier: Apache-2.0
#include "vision/image/raw.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

using Layout = RawFormat::Layout;
using Packing = RawFormat::Packing;
using Bytes = std::vector<std::uint8_t>;
using std::operator""s;
using std::operator""sv;

TEST(RawFrames, AreDescribedByOneText) {
  EXPECT_EQ(parse_raw_format("1280x1024:mono8"), (RawFormat{{1280, 1024}, Layout::mono, 8}));
  EXPECT_EQ(parse_raw_format("4x2:bggr12"), (RawFormat{{4, 2}, Layout::bggr, 12}));
  EXPECT_EQ(parse_raw_format("4x2:bggr12").bytes(), 16U);
  EXPECT_EQ(parse_raw_format("4x2:rgb8").bytes(), 24U);
  EXPECT_EQ(parse_raw_format("4x2:rggb12p"), (RawFormat{{4, 2}, Layout::rggb, 12, Packing::lsb}));
  EXPECT_EQ(parse_raw_format("4x2:BayerGB12Packed"),
            (RawFormat{{4, 2}, Layout::gbrg, 12, Packing::gige}));
  EXPECT_EQ(parse_raw_format("4x2:BayerBG10p"), parse_raw_format("4x2:bggr10p"));
  EXPECT_EQ(parse_raw_format("3x3:mono10p").bytes(), 12U);
  EXPECT_EQ(parse_raw_format("3x3:mono12packed").bytes(), 14U);
  EXPECT_EQ(parse_raw_format("2x1:rgb12p").bytes(), 9U);
  for (const char* wrong : {"", "4x2", "4x2:", "4x2:mono", "4x2:mono9", "4x2:mono8 ", "0x2:mono8",
                            "4x99999:mono8", "4x2:yuv8", "-4x2:mono8", "4x2:mono8p", "4x2:mono16p",
                            "4x2:mono14packed", "4x2:mono12pp", "1x4:rggb8"}) {
    EXPECT_THROW((void)parse_raw_format(wrong), base::Error) << wrong;
  }
}

TEST(RawFrames, BecomeRgb) {
  Image image;
  decode_raw("\x01\x02"sv, "frame", {{2, 1}, Layout::mono, 8}, image);
  EXPECT_EQ(image.rgb, (Bytes{1, 1, 1, 2, 2, 2}));
  decode_raw("\x01\x02\x03"sv, "frame", {{1, 1}, Layout::bgr, 8}, image);
  EXPECT_EQ(image.rgb, (Bytes{3, 2, 1}));
  decode_raw("\xFF\x0F\x34\x02"sv, "frame", {{2, 1}, Layout::mono, 12}, image);
  EXPECT_EQ(image.rgb, (Bytes{255, 255, 255, 0x23, 0x23, 0x23}));
  EXPECT_THROW(decode_raw("\x01"sv, "frame", {{2, 1}, Layout::mono, 8}, image), base::Error);
}

// Streams made with numpy.packbits(bitorder='little') out of random samples.
TEST(RawFrames, AreUnpackedFromAStreamOfBits) {
  Image image;
  const auto greys = [&] {
    Bytes result;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) result.push_back(image.rgb[i]);
    return result;
  };
  decode_raw("\xAE\xE2\x7C\xC1\xCE\xE0\x3D\x58\x28\x49"sv, "frame", parse_raw_format("4x2:mono10p"),
             image);
  EXPECT_EQ(greys(), (Bytes{171, 206, 5, 206, 120, 131, 161, 73}));
  decode_raw("\xAC\xCF\x0D\x72\x24\x62\x23\x99\x68\x18\x92\x0B"sv, "frame",
             parse_raw_format("8x1:mono12p"), image);
  EXPECT_EQ(greys(), (Bytes{250, 13, 71, 98, 146, 104, 33, 11}));
  decode_raw("\x10\x80\xC7\x60\x98\xC8\xFF\x39\x0C\x70\x4A\x00\x0B\x3C"sv, "frame",
             parse_raw_format("2x4:mono14p"), image);
  EXPECT_EQ(greys(), (Bytes{0, 12, 38, 255, 48, 167, 192, 60}));
  // Three samples of ten bits end within a byte; rows go on where the one before ends.
  decode_raw("\xAE\xE2\x7C\x01"sv, "frame", parse_raw_format("1x3:mono10p"), image);
  EXPECT_EQ(greys(), (Bytes{171, 206, 5}));
  EXPECT_THROW(decode_raw("\xAE\xE2\x7C"sv, "frame", parse_raw_format("1x3:mono10p"), image),
               base::Error);
}

TEST(RawFrames, AreUnpackedAsGigeVisionPacksThem) {
  // Samples 0xABC and 0x123: AB, the low four bits of both, 12. Of ten bits the places are the
  // same.
  Image image;
  decode_raw("\xAB\x3C\x12"sv, "frame", parse_raw_format("2x1:mono12packed"), image);
  EXPECT_EQ(image.rgb, (Bytes{0xAB, 0xAB, 0xAB, 0x12, 0x12, 0x12}));
  decode_raw("\xAB\x31\x12\xEF\x02"sv, "frame", parse_raw_format("3x1:mono10packed"), image);
  EXPECT_EQ(image.rgb, (Bytes{0xAB, 0xAB, 0xAB, 0x12, 0x12, 0x12, 0xEF, 0xEF, 0xEF}));
}

TEST(RawFrames, HaveTheirMosaicFilledInByTheMeanOfTheNeighboursAlsoWherePacked) {
  // Red (row 0, column 0), green, blue; the frame repeats beyond its edges mirrored.
  const std::string plain = "\x0A\x14\x1E\x28\x32\x3C\x46\x50\x5A"s;
  Image image;
  decode_raw(plain, "frame", parse_raw_format("3x3:rggb8"), image);
  // In the middle blue: its green neighbours are 20, 40, 60, 80, the red ones 10, 30, 70, 90.
  EXPECT_EQ((Bytes{image.rgb.begin() + 12, image.rgb.begin() + 15}), (Bytes{50, 50, 50}));
  // In the corner red: green from 20 and 40 on both sides, blue from 50 all around.
  EXPECT_EQ((Bytes{image.rgb.begin(), image.rgb.begin() + 3}), (Bytes{10, 30, 50}));
  // Between two reds (10 and 30) green, with blue below and, mirrored, above.
  EXPECT_EQ((Bytes{image.rgb.begin() + 3, image.rgb.begin() + 6}), (Bytes{20, 20, 50}));
  const Bytes expected = image.rgb;
  // The same as 12 bits, with low bits that do not count.
  const std::string packed = "\x0A\x12\x14\x1E\x34\x28\x32\x56\x3C\x46\x78\x50\x5A\x09"s;
  decode_raw(packed, "frame", parse_raw_format("3x3:rggb12packed"), image);
  EXPECT_EQ(image.rgb, expected);
}

TEST(RawFrames, HaveTheirMosaicFilledIn) {
  // A scene of one colour looks so behind each mosaic: red 200, green 100, blue 50.
  for (const Layout layout : {Layout::rggb, Layout::bggr, Layout::grbg, Layout::gbrg}) {
    const std::string_view names[] = {"rggb", "bggr", "grbg", "gbrg"};
    const std::string_view order =
        names[static_cast<std::size_t>(layout) - static_cast<std::size_t>(Layout::rggb)];
    std::string bytes;
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 6; ++x) {
        const char colour = order[2 * (y % 2) + x % 2];
        bytes.push_back(static_cast<char>(colour == 'r' ? 200 : colour == 'g' ? 100 : 50));
      }
    }
    Image image;
    decode_raw(bytes, "frame", {{6, 4}, layout, 8}, image);
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
      EXPECT_EQ(image.rgb[i], 200) << order << " " << i / 3;
      EXPECT_EQ(image.rgb[i + 1], 100);
      EXPECT_EQ(image.rgb[i + 2], 50);
    }
  }
}

}  // namespace
}  // namespace andon::vision
