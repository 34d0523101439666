// SPDX-License-Identifier: Apache-2.0
#include "vision/testing/decode_detections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace andon::vision {
namespace {

struct Anchor {
  float x;
  float y;
  float width;
  float height;
  std::vector<float> scores;
};

// The network's planar layout out of a list of anchors.
class Output {
 public:
  explicit Output(const std::vector<Anchor>& anchors)
      : classes_(anchors.front().scores.size()), anchors_(anchors.size()) {
    values_.resize((4 + classes_) * anchors_);
    for (std::size_t i = 0; i < anchors_; ++i) {
      const Anchor& anchor = anchors[i];
      const std::vector<float> box{anchor.x, anchor.y, anchor.width, anchor.height};
      for (std::size_t c = 0; c < 4; ++c) values_[c * anchors_ + i] = box[c];
      for (std::size_t c = 0; c < classes_; ++c) values_[(4 + c) * anchors_ + i] = anchor.scores[c];
    }
  }
  [[nodiscard]] AnchorOutput view() const { return {values_, classes_, anchors_}; }

 private:
  std::size_t classes_;
  std::size_t anchors_;
  std::vector<float> values_;
};

LetterboxPlan same_size(int side) {
  return plan_letterbox({side, side}, {side, side});
}

TEST(Detections, TakeTheBestClassOfEachAnchorAboveTheThreshold) {
  const Output output({{50, 50, 20, 10, {0.1F, 0.9F}},
                       {20, 20, 10, 10, {0.25F, 0.2F}},
                       {80, 80, 10, 10, {0.3F, 0.1F}}});
  const auto found = decode_detections(output.view(), same_size(100), {});
  ASSERT_EQ(found.size(), 2U);  // 0.25 is not above 0.25
  EXPECT_EQ(found[0].class_id, 1);
  EXPECT_FLOAT_EQ(found[0].confidence, 0.9F);
  EXPECT_FLOAT_EQ(found[0].box.x, 40);
  EXPECT_FLOAT_EQ(found[0].box.y, 45);
  EXPECT_FLOAT_EQ(found[0].box.width, 20);
  EXPECT_FLOAT_EQ(found[0].box.height, 10);
  EXPECT_EQ(found[1].class_id, 0);
}

TEST(Detections, DropAnOverlappingBoxOfTheSameClassOnly) {
  const Output output({{50, 50, 20, 20, {0.9F, 0}},
                       {51, 50, 20, 20, {0.8F, 0}},
                       {51, 50, 20, 20, {0, 0.7F}},
                       {60, 50, 20, 20, {0.6F, 0}}});
  const auto found = decode_detections(output.view(), same_size(100), {});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_FLOAT_EQ(found[0].confidence, 0.9F);
  EXPECT_FLOAT_EQ(found[1].confidence, 0.7F);
  EXPECT_FLOAT_EQ(found[2].confidence, 0.6F);
}

TEST(Detections, KeepABoxWhoseOverlapIsExactlyTheLimit) {
  const Output output({{10, 10, 20, 20, {0.9F}}, {10, 15, 20, 10, {0.8F}}});
  DetectionOptions options;
  options.iou = 0.5F;  // the second covers exactly half of the first
  EXPECT_EQ(decode_detections(output.view(), same_size(100), options).size(), 2U);
  options.iou = 0.49F;
  EXPECT_EQ(decode_detections(output.view(), same_size(100), options).size(), 1U);
}

TEST(Detections, AreMappedBackAndClippedToThePicture) {
  const LetterboxPlan plan = plan_letterbox({450, 300}, {320, 320});
  EXPECT_EQ(plan.left, 0);
  EXPECT_EQ(plan.top, 53);
  const Output output({{160, 160, 400, 400, {0.9F}}});
  const auto found = decode_detections(output.view(), plan, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].box.x, 0);
  EXPECT_FLOAT_EQ(found[0].box.y, 0);
  EXPECT_FLOAT_EQ(found[0].box.width, 450);
  EXPECT_FLOAT_EQ(found[0].box.height, 300);
}

TEST(Detections, StopAtTheMostThatWereAskedFor) {
  std::vector<Anchor> anchors;
  for (int i = 0; i < 1000; ++i) {
    anchors.push_back(
        {static_cast<float>(i * 10), 50, 5, 5, {0.3F + static_cast<float>(i) * 1e-4F}});
  }
  const auto found = decode_detections(Output(anchors).view(), same_size(10'000), {});
  ASSERT_EQ(found.size(), 300U);
  EXPECT_FLOAT_EQ(found.front().confidence, 0.3999F);
}

TEST(Detections, IgnoreWhatIsNotANumberOrHasNoArea) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Output output({{50, 50, 10, 10, {nan}},
                       {nan, 50, 10, 10, {0.9F}},
                       {50, 50, infinity, 10, {0.9F}},
                       {50, 50, -10, 10, {0.9F}},
                       {50, 50, 10, 0, {0.9F}},
                       {50, 50, 10, 10, {0.5F}}});
  const auto found = decode_detections(output.view(), same_size(100), {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FLOAT_EQ(found[0].confidence, 0.5F);
}

// The textbook algorithm: sort all, and let each kept box strike out the rest.
std::vector<Detection> plain_nms(std::vector<Detection> all, float limit) {
  std::stable_sort(all.begin(), all.end(), [](const Detection& a, const Detection& b) {
    return a.confidence > b.confidence;
  });
  std::vector<Detection> kept;
  while (!all.empty()) {
    const Detection best = all.front();
    kept.push_back(best);
    std::vector<Detection> rest;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[i].class_id == best.class_id &&
          intersection_over_union(all[i].box, best.box) > limit) {
        continue;
      }
      rest.push_back(all[i]);
    }
    all = rest;
  }
  return kept;
}

TEST(Detections, AgreeWithTheTextbookSuppressionOnRandomBoxes) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> place(50, 950);
  std::uniform_real_distribution<float> side(20, 90);
  std::uniform_real_distribution<float> score(0, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<Anchor> anchors;
    std::vector<Detection> all;
    for (int i = 0; i < 700; ++i) {
      const Anchor anchor{place(random),
                          place(random),
                          side(random),
                          side(random),
                          {score(random), score(random), score(random)}};
      anchors.push_back(anchor);
      const auto best = std::max_element(anchor.scores.begin(), anchor.scores.end());
      if (*best <= 0.25F) continue;
      all.push_back({static_cast<int>(best - anchor.scores.begin()),
                     *best,
                     {anchor.x - anchor.width / 2, anchor.y - anchor.height / 2, anchor.width,
                      anchor.height}});
    }
    DetectionOptions options;
    options.iou = 0.3F;
    options.max_detections = 10'000;
    const auto found = decode_detections(Output(anchors).view(), same_size(1000), options);
    const auto expected = plain_nms(all, options.iou);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].class_id, expected[i].class_id);
      EXPECT_EQ(found[i].confidence, expected[i].confidence);
      EXPECT_NEAR(found[i].box.x, expected[i].box.x, 0.01);
    }
  }
}

}  // namespace
}  // namespace andon::vision
