// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/rotated.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace andon::vision {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

TEST(ProbabilisticIou, IsThatOfTheNormalDistributions) {
  const RotatedBox box{50, 40, 30, 10, 0.3F};
  EXPECT_NEAR(probabilistic_iou(box, box), 1, 1e-3);
  // A turn by half leaves a rectangle as it is; so do swapped sides with a quarter turn.
  EXPECT_NEAR(probabilistic_iou(box, {50, 40, 30, 10, 0.3F + kPi}), 1, 1e-3);
  EXPECT_NEAR(probabilistic_iou(box, {50, 40, 10, 30, 0.3F + kPi / 2}), 1, 1e-3);
  // Side by side: along x the variance is w*w/12 each, so that the Bhattacharyya distance is
  // (d*d / (w*w/6)) / 4 = 1.5 for d = w, and the likeness 1 - sqrt(1 - exp(-1.5)).
  EXPECT_NEAR(probabilistic_iou({0, 0, 12, 12, 0}, {12, 0, 12, 12, 0}),
              1 - std::sqrt(1 - std::exp(-1.5)), 1e-4);
  // One twice as wide: log((1 + 4) / 2 / sqrt(4)) / 2 along x alone.
  EXPECT_NEAR(probabilistic_iou({0, 0, 12, 12, 0}, {0, 0, 24, 12, 0}),
              1 - std::sqrt(1 - std::exp(-std::log(1.25) / 2)), 1e-4);
  EXPECT_NEAR(probabilistic_iou(box, {500, 40, 30, 10, 0.3F}), 0, 1e-3);
}

RotatedCandidate at(float x, float score, std::uint32_t anchor) {
  return {{x, 0, 12, 12, 0}, score, 0, anchor};
}

TEST(RotatedSuppressor, LetsWhatWasDroppedDropOthers) {
  RotatedSuppressor suppressor;
  DetectionOptions options;
  options.iou = probabilistic_iou({0, 0, 12, 12, 0}, {3, 0, 12, 12, 0}) - 0.01F;
  // The middle one is dropped for the first and drops the third, which is far from the first.
  suppressor.start() = {at(0, 0.9F, 0), at(6, 0.7F, 2), at(3, 0.8F, 1), at(60, 0.6F, 3)};
  const auto& kept = suppressor.suppress(options);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].anchor, 0U);
  EXPECT_EQ(kept[1].anchor, 3U);
  options.max_detections = 1;
  suppressor.start() = {at(0, 0.5F, 7), at(60, 0.5F, 3)};
  ASSERT_EQ(suppressor.suppress(options).size(), 1U);
  EXPECT_EQ(suppressor.suppress(options)[0].anchor, 3U) << "of equal scores the lower wins";
}

TEST(RotatedSuppressor, IsExactWhereItSparesComparing) {
  // Against every pair compared in full, over thresholds from none to all.
  std::uint32_t state = 7;
  const auto random = [&](float most) {
    state = state * 1664525U + 1013904223U;
    return static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U) * most;
  };
  for (const float iou : {0.0F, 0.05F, 0.3F, 0.7F, 0.95F, 1.0F}) {
    std::vector<RotatedCandidate> all;
    for (std::uint32_t i = 0; i < 150; ++i) {
      all.push_back({{random(100), random(100), 1 + random(40), 1 + random(20), random(6)},
                     1 - static_cast<float>(i) / 200,
                     0,
                     i});
    }
    std::vector<std::uint32_t> expected;
    for (std::size_t i = 0; i < all.size(); ++i) {
      bool is_dropped = false;
      for (std::size_t j = 0; j < i; ++j) {
        is_dropped = is_dropped || probabilistic_iou(all[j].box, all[i].box) > iou;
      }
      if (!is_dropped) expected.push_back(all[i].anchor);
    }
    RotatedSuppressor suppressor;
    suppressor.start() = all;
    DetectionOptions options;
    options.iou = iou;
    std::vector<std::uint32_t> found;
    for (const RotatedCandidate& it : suppressor.suppress(options)) found.push_back(it.anchor);
    EXPECT_EQ(found, expected) << iou;
  }
}

TEST(RotatedCandidate, IsNoBoxWithoutAnAreaOrNumbers) {
  EXPECT_TRUE((RotatedCandidate{{1, 1, 2, 3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{1, 1, 0, 3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{1, 1, 2, -3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{1, 1, 1e-40F, 3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{NAN, 1, 2, 3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{1, INFINITY, 2, 3, 4}}).is_box());
  EXPECT_FALSE((RotatedCandidate{{1, 1, 2, 3, NAN}}).is_box());
}

}  // namespace
}  // namespace andon::vision
