// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/upload_rules.hpp"

#include <gtest/gtest.h>

namespace andon::inspect {
namespace {

constexpr double kNever = 0.999;

TEST(UploadRules, TakeWhatLiesInTheBandWithItsEnds) {
  const UploadRules rules{.below = 0, .low = 0.25, .high = 0.5, .sample = 0};
  EXPECT_EQ(why_upload(0.25, rules, 0), UploadReason::between);
  EXPECT_EQ(why_upload(0.5, rules, 0), UploadReason::between);
  EXPECT_EQ(why_upload(0.24, rules, 0), std::nullopt);
  EXPECT_EQ(why_upload(0.51, rules, 0), std::nullopt);
  EXPECT_EQ(why_upload(std::nullopt, rules, 0), std::nullopt);
}

TEST(UploadRules, TakeWhatIsBelowTheThresholdAlsoWithoutAnyDetection) {
  const UploadRules rules{.below = 0.7, .low = 1, .high = 1, .sample = 0};
  EXPECT_EQ(why_upload(std::nullopt, rules, kNever), UploadReason::below);
  EXPECT_EQ(why_upload(0.69, rules, kNever), UploadReason::below);
  EXPECT_EQ(why_upload(0.7, rules, kNever), std::nullopt);
}

TEST(UploadRules, TakeTheShareOfAllThatIsAskedFor) {
  const UploadRules rules{.below = 0, .low = 0.25, .high = 0.5, .sample = 0.1};
  EXPECT_EQ(why_upload(0.9, rules, 0.05), UploadReason::sample);
  EXPECT_EQ(why_upload(std::nullopt, rules, 0.0), UploadReason::sample);
  EXPECT_EQ(why_upload(0.9, rules, 0.1), std::nullopt);
}

TEST(UploadRules, SeeScoresBelowTheBandOnlyWhereTheThresholdIsThere) {
  EXPECT_EQ(lowest_score({.below = 0, .low = 0.25, .high = 0.5, .sample = 0}), 0.25);
  EXPECT_EQ(lowest_score({.below = 0.1, .low = 0.25, .high = 0.5, .sample = 0}), 0.1);
}

}  // namespace
}  // namespace andon::inspect
