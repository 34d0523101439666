// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/suppression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace andon::vision {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Suppression, TakesNoScoreThatIsNotFinite) {
  Suppressor suppressor;
  const DetectionOptions options;
  std::vector<Candidate> candidates;
  for (const float score : {kInfinity, 0.5F, std::nanf(""), 0.9F, -kInfinity}) {
    const auto left = static_cast<float>(20 * candidates.size());
    candidates.push_back(
        {{left, 0, left + 10, 10}, score, 0, static_cast<std::uint32_t>(candidates.size())});
  }
  for (const bool is_best : {true, false}) {
    suppressor.start() = candidates;
    const auto& kept = is_best ? suppressor.best(options) : suppressor.suppress(options);
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[0].score, 0.9F);
    EXPECT_EQ(kept[1].score, 0.5F);
  }
}

TEST(Suppression, LeavesOutWhatHasNoAreaInThePicture) {
  const LetterboxPlan plan = plan_letterbox({100, 50}, {100, 100});  // 25 of padding above, below
  const std::vector<Candidate> candidates{{{10, 30, 20, 40}, 0.9F, 0, 0},   // in the picture
                                          {{10, 2, 20, 24}, 0.8F, 0, 1},    // in the padding
                                          {{10, 80, 20, 99}, 0.7F, 0, 2},   // below
                                          {{-30, 40, -5, 50}, 0.6F, 0, 3},  // left of it
                                          {{90, 70, 120, 90}, 0.5F, 0, 4},  // over the corner
                                          {{100, 30, 130, 60}, 0.4F, 0, 5}};
  std::vector<Detection> found;
  map_back(candidates, plan, found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].confidence, 0.9F);
  EXPECT_EQ(found[1].confidence, 0.5F);
  for (const Detection& detection : found) EXPECT_TRUE(has_area(detection.box));
}

}  // namespace
}  // namespace andon::vision
