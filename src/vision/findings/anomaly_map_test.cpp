// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/anomaly_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "vision/image/decode.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;

Anomaly anomaly(Size size, std::vector<float> map) {
  return {0, size, std::move(map), {0, 0, 100, 50}};
}

TEST(AnomalyMaps, AreLevelsBetweenTheirLowestAndHighestValue) {
  const auto map = to_grey(anomaly({3, 2}, {-1, 0, 1, 3, 2, -1}), 8);
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->size, (Size{3, 2}));
  EXPECT_EQ(map->range.low, -1);
  EXPECT_EQ(map->range.high, 3);
  EXPECT_THAT(map->levels, ElementsAre(0, 64, 128, 255, 191, 0));
  EXPECT_EQ(map->box.width, 100);
}

TEST(AnomalyMaps, KeepTheirHottestCellsWhereTheyAreMadeSmaller) {
  std::vector<float> values(12 * 6);
  values[5 * 12 + 7] = 1;  // one cell of 72
  const auto map = to_grey(anomaly({12, 6}, values), 4);
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->size, (Size{4, 2}));
  EXPECT_THAT(map->levels, ElementsAre(0, 0, 0, 0, 0, 0, 255, 0));
  EXPECT_EQ(to_grey(anomaly({12, 1}, std::vector<float>(12)), 5)->size, (Size{5, 1}));
}

TEST(AnomalyMaps, CountWhatIsNoNumberAsCold) {
  const float nan = std::nanf("");
  const float infinite = std::numeric_limits<float>::infinity();
  const auto map = to_grey(anomaly({4, 1}, {nan, 1, infinite, 2}), 4);
  ASSERT_TRUE(map.has_value());
  EXPECT_THAT(map->levels, ElementsAre(0, 0, 0, 255));
  const float most = std::numeric_limits<float>::max();
  EXPECT_THAT(to_grey(anomaly({3, 1}, {-most, 0, most}), 4)->levels, ElementsAre(0, 128, 255));
  EXPECT_THAT(to_grey(anomaly({2, 1}, {7, 7}), 4)->levels, ElementsAre(0, 0));
  EXPECT_FALSE(to_grey(anomaly({2, 1}, {nan, infinite}), 4).has_value());
  EXPECT_FALSE(to_grey(Anomaly{}, 4).has_value());
  EXPECT_FALSE(to_grey(anomaly({2, 1}, {7, 8}), 0).has_value());
}

TEST(AnomalyMaps, AreReadBackFromTheirPngByteForByte) {
  GreyMap map{{16, 16}, {}, {}, {}};
  for (int i = 0; i < 256; ++i) map.levels.push_back(static_cast<std::uint8_t>(i * 7));
  const std::string png = encode_png(map);
  ImageDecoder decoder;
  const Image& image = decoder.decode(png, "map.png");
  ASSERT_EQ(image.size, map.size);
  for (std::size_t i = 0; i < map.levels.size(); ++i) ASSERT_EQ(image.rgb[3 * i], map.levels[i]);
}

}  // namespace
}  // namespace andon::vision
