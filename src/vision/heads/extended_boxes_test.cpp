// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/extended_boxes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace andon::vision {
namespace {

using Layout = ExtendedBoxes::Layout;

// Two pictures of two boxes, of one class, with two values more: of the second picture the second
// box is the better one.
TEST(ExtendedBoxes, OfColumnsHaveTheirValuesAPlaneEach) {
  constexpr std::size_t kPicture = std::size_t{7} * 2;
  std::array<float, 2 * kPicture> values{};
  const std::array<float, kPicture> second{20, 60, 20, 60, 10, 10, 10, 10, .5F, .9F, 1, 2, 3, 4};
  std::ranges::copy(second, values.begin() + kPicture);
  ExtendedBoxes boxes(Layout::columns, 1);
  const Session::Output output{.values = values, .integers = {}, .shape = {2, 7, 2}};
  EXPECT_TRUE(boxes.find(output, 0, {}).empty());
  const auto& found = boxes.find(output, 1, {});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FLOAT_EQ(found[0].score, .9F);
  EXPECT_FLOAT_EQ(found[0].corners.left, 55);
  const auto best = boxes.extension_of(found[0]);
  EXPECT_EQ(best.values[0], 2);
  EXPECT_EQ(best.values[best.pitch], 4);
  const auto other = boxes.extension_of(found[1]);
  EXPECT_EQ(other.values[0], 1);
  EXPECT_EQ(other.values[other.pitch], 3);
}

TEST(ExtendedBoxes, OfRowsHaveTheirValuesBehindThemAndAreNotSuppressed) {
  const std::array<float, 16> values{10, 10, 20, 20, .5F, 0, 1, 2,  //
                                     10, 10, 20, 20, .9F, 0, 3, 4};
  ExtendedBoxes boxes(Layout::rows, 1);
  const Session::Output output{.values = values, .integers = {}, .shape = {1, 2, 8}};
  const auto& found = boxes.find(output, 0, {});
  ASSERT_EQ(found.size(), 2U);
  const auto best = boxes.extension_of(found[0]);
  EXPECT_EQ(best.values[0], 3);
  EXPECT_EQ(best.values[best.pitch], 4);
}

}  // namespace
}  // namespace andon::vision
