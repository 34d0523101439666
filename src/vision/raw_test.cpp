// SPDX-License-Identifier: Apache-2.0
#include "vision/raw.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using Layout = RawFormat::Layout;
using Bytes = std::vector<std::uint8_t>;
using std::operator""sv;

TEST(RawFrames, AreDescribedByOneText) {
  EXPECT_EQ(parse_raw_format("1280x1024:mono8"), (RawFormat{{1280, 1024}, Layout::mono, 8}));
  EXPECT_EQ(parse_raw_format("4x2:bggr12"), (RawFormat{{4, 2}, Layout::bggr, 12}));
  EXPECT_EQ(parse_raw_format("4x2:bggr12").bytes(), 16U);
  EXPECT_EQ(parse_raw_format("4x2:rgb8").bytes(), 24U);
  for (const char* wrong : {"", "4x2", "4x2:", "4x2:mono", "4x2:mono9", "4x2:mono8 ", "0x2:mono8",
                            "4x99999:mono8", "4x2:yuv8", "-4x2:mono8"}) {
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
