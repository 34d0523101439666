// SPDX-License-Identifier: Apache-2.0
// By hand; tests/integration/test_evaluate.py compares many with pycocotools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "evaluate/score/agreement.hpp"
#include "evaluate/score/average_precision.hpp"
#include "evaluate/score/working_point.hpp"

namespace andon::evaluate {
namespace {

using testing::ElementsAre;

constexpr Rectangle kHere{10, 10, 40, 40};
constexpr Rectangle kThere{100, 100, 40, 40};

Dataset two_classes(std::vector<std::vector<Truth>> truths) {
  Dataset dataset;
  dataset.categories = {{1, "scratch"}, {2, "dent"}};
  for (std::size_t i = 0; i < truths.size(); ++i) {
    dataset.images.push_back(
        {static_cast<std::int64_t>(i), std::to_string(i) + ".jpg", {}, std::move(truths[i])});
  }
  return dataset;
}

Truth object(std::size_t category, const Rectangle& box) {
  return {category, box, box.area(), false};
}

TEST(AveragePrecision, IsOneForAPerfectModelAndNothingForClassesWithoutObjects) {
  const Dataset dataset = two_classes({{object(0, kHere)}, {object(0, kThere)}});
  const auto result = average_precision(dataset, {{{0, 0.9, kHere}}, {{0, 0.8, kThere}}});
  EXPECT_DOUBLE_EQ(*result.map50_95, 1);
  EXPECT_DOUBLE_EQ(*result.classes[0].recall, 1);
  EXPECT_FALSE(result.classes[1].map50_95);
  EXPECT_FALSE(result.small.map50_95);
  EXPECT_DOUBLE_EQ(*result.medium.map50_95, 1);
}

TEST(AveragePrecision, FallsWithEachWrongFindingThatIsSurerThanARightOne) {
  const Dataset dataset = two_classes({{object(0, kHere)}});
  const auto result =
      average_precision(dataset, {{{0, 0.9, kThere}, {0, 0.8, kHere}, {0, 0.7, kThere}}});
  EXPECT_NEAR(*result.map50, 0.5, 1e-9);
}

TEST(AveragePrecision, CountsAnObjectOnce) {
  const Dataset dataset = two_classes({{object(0, kHere), object(0, kThere)}});
  const auto result = average_precision(dataset, {{{0, 0.9, kHere}, {0, 0.8, kHere}}});
  EXPECT_NEAR(*result.map50, 51.0 / 101, 1e-9);  // recall 0.50 and below
}

TEST(AveragePrecision, LeavesOutWhatIsFoundInACrowd) {
  Truth crowd = object(0, {0, 0, 500, 500});
  crowd.is_crowd = true;
  const Dataset dataset = two_classes({{crowd, object(0, kHere)}});
  const auto result = average_precision(
      dataset, {{{0, 0.95, kThere}, {0, 0.94, {200, 200, 10, 10}}, {0, 0.5, kHere}}});
  EXPECT_DOUBLE_EQ(*result.map50, 1);
}

TEST(AveragePrecision, RefusesFindingsOfOtherPictures) {
  EXPECT_THROW(static_cast<void>(average_precision(two_classes({{}}), {})), base::Error);
}

TEST(AveragePrecision, OfNothingIsNothing) {
  EXPECT_FALSE(average_precision(two_classes({{}}), {{}}).map50_95);
  EXPECT_FALSE(average_precision(two_classes({}), {}).map50_95);
}

TEST(WorkingPoint, CountsWhatIsRightWrongAndMissed) {
  const Dataset dataset = two_classes({{object(0, kHere), object(1, kThere)}, {}});
  const auto point = working_point(
      dataset, {{{0, 0.9, kHere}, {0, 0.8, kThere}, {0, 0.2, kHere}}, {{1, 0.3, kHere}}});
  EXPECT_EQ(point.rates.right, 1U);
  EXPECT_EQ(point.rates.wrong, 2U);
  EXPECT_EQ(point.rates.missed, 1U);
  EXPECT_DOUBLE_EQ(*point.rates.precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(*point.rates.recall(), 0.5);
  EXPECT_DOUBLE_EQ(*point.rates.f1(), 0.4);
  EXPECT_EQ(point.images_without_objects, 1U);
  EXPECT_EQ(point.false_alarm_images, 1U);
}

TEST(WorkingPoint, SaysWhatIsTakenForWhat) {
  const Dataset dataset = two_classes({{object(0, kHere), object(1, kThere)}, {}});
  const auto point =
      working_point(dataset, {{{0, 0.9, kHere}, {0, 0.8, kThere}}, {{1, 0.3, kHere}}});
  EXPECT_THAT(point.confusion.counts, ElementsAre(1, 1, 0,    // found scratch
                                                  0, 0, 1,    // found dent
                                                  0, 0, 0));  // found nothing
}

TEST(WorkingPoint, CountsOnlyWhatIsAboveTheConfidence) {
  const Dataset dataset = two_classes({{object(0, kHere)}});
  EXPECT_EQ(working_point(dataset, {{{0, 0.25, kHere}}}, {.confidence = 0.25}).rates.right, 0U);
  EXPECT_EQ(working_point(dataset, {{{0, 0.25, kHere}}}, {.confidence = 0.24}).rates.right, 1U);
}

TEST(WorkingPoint, PutsTheBestConfidenceBetweenTwoScores) {
  const Dataset dataset = two_classes({{object(0, kHere)}});
  const auto point = working_point(dataset, {{{0, 0.8, kHere}, {0, 0.6, kThere}}});
  ASSERT_TRUE(point.best);
  EXPECT_DOUBLE_EQ(point.best->confidence, 0.7);
  EXPECT_DOUBLE_EQ(*point.best->rates.f1(), 1);
  EXPECT_EQ(point.curve[79].rates.right, 1U);
  EXPECT_EQ(point.curve[80].rates.right, 0U);
}

TEST(WorkingPoint, HasAConfidenceForEachClass) {
  const Dataset dataset = two_classes({{object(0, kHere), object(1, kThere)}});
  const auto point = working_point(
      dataset, {{{0, 0.9, kHere}, {0, 0.1, kThere}, {1, 0.4, kThere}, {1, 0.2, kHere}}});
  EXPECT_DOUBLE_EQ(point.classes[0].best->confidence, 0.5);
  EXPECT_NEAR(point.classes[1].best->confidence, 0.3, 1e-12);
}

TEST(WorkingPoint, PutsThePicturesWithMostMistakesFirst) {
  const Dataset dataset =
      two_classes({{object(0, kHere)}, {object(0, kHere)}, {object(0, kHere)}, {}});
  const auto point = working_point(
      dataset, {{{0, 0.9, kHere}}, {{0, 0.5, kThere}}, {{0, 0.9, kThere}}, {{0, 0.4, kThere}}});
  const auto worst = worst_images(point, 2);
  ASSERT_EQ(worst.size(), 2U);
  EXPECT_EQ(worst[0].image, 2U);
  EXPECT_EQ(worst[1].image, 1U);
}

TEST(WorkingPoint, JudgesOnePictureAsAll) {
  const Dataset dataset = two_classes({{}, {object(0, kHere), object(1, kThere)}});
  const auto verdict = judge_image(
      dataset, 1, {{0, 0.9, kHere}, {0, 0.8, kThere}, {1, 0.1, kThere}}, {.confidence = 0.2});
  ASSERT_EQ(verdict.findings.size(), 2U);
  EXPECT_EQ(verdict.findings[0].confidence, 0.9);
  EXPECT_EQ(verdict.findings[1].box, kThere);
  EXPECT_THAT(verdict.is_right, ElementsAre(true, false));
  EXPECT_THAT(verdict.is_found, ElementsAre(true, false));
}

vision::Detection detection(float confidence, float x, int class_id = 0) {
  return {class_id, confidence, {x, 0, 100, 100}};
}

Agreement agree(const std::vector<vision::Detection>& left,
                const std::vector<vision::Detection>& right) {
  const std::vector<DetectionsOfImage> lefts{left};
  const std::vector<DetectionsOfImage> rights{right};
  return agreement(lefts, rights);
}

TEST(Agreement, IsOneWithItselfAndWhereNothingIsFound) {
  const std::vector<vision::Detection> found{detection(0.9F, 0.1F), detection(0.3F, 300.7F)};
  EXPECT_DOUBLE_EQ(agree(found, found).similarity, 1);
  EXPECT_DOUBLE_EQ(agree({}, {}).similarity, 1);
  EXPECT_DOUBLE_EQ(agree(found, {}).similarity, 0);
  EXPECT_EQ(agree(found, {}).images_with_other_verdict, 1U);
}

TEST(Agreement, IsTheSameFromBothSides) {
  const std::vector<vision::Detection> left{detection(0.9F, 0), detection(0.8F, 20),
                                            detection(0.7F, 300, 1)};
  const std::vector<vision::Detection> right{detection(0.6F, 10), detection(0.5F, 310, 1),
                                             detection(0.4F, 600)};
  EXPECT_DOUBLE_EQ(agree(left, right).similarity, agree(right, left).similarity);
  EXPECT_EQ(agree(left, right).paired, 2U);
  EXPECT_EQ(agree(left, right).alone, 2U);
}

TEST(Agreement, FallsWithOverlapAndWithScores) {
  const Agreement result = agree({detection(0.9F, 0)}, {detection(0.8F, 25)});
  EXPECT_NEAR(result.mean_iou, 0.6, 1e-6);
  EXPECT_NEAR(result.max_score_difference, 0.1, 1e-6);
  EXPECT_NEAR(result.similarity, 0.6 * 0.9, 1e-6);
}

TEST(Agreement, TakesAScoreJustBelowTheConfidenceForTheSameFinding) {
  EXPECT_NEAR(agree({detection(0.26F, 0)}, {detection(0.24F, 0)}).similarity, 0.98, 1e-6);
  EXPECT_DOUBLE_EQ(agree({detection(0.26F, 0)}, {detection(0.1F, 0)}).similarity, 0);
  EXPECT_EQ(agree({detection(0.24F, 0)}, {detection(0.24F, 0)}).paired, 0U);
}

// "Before 90, after 90; 92 are the same" is what came of counting them with the others.
TEST(Agreement, CountsPairsOfWhichOneIsBelowTheConfidenceApart) {
  const Agreement result = agree({detection(0.9F, 0), detection(0.26F, 300), detection(0.2F, 600)},
                                 {detection(0.8F, 0), detection(0.24F, 300), detection(0.3F, 600)});
  EXPECT_EQ(result.left, 2U);
  EXPECT_EQ(result.right, 2U);
  EXPECT_EQ(result.paired, 3U);
  EXPECT_EQ(result.both, 1U);
  EXPECT_EQ(result.alone, 0U);
  EXPECT_EQ(result.left + result.right, 2 * result.both + (result.paired - result.both));
}

TEST(Agreement, DoesNotPairOtherClasses) {
  EXPECT_EQ(agree({detection(0.9F, 0, 0)}, {detection(0.9F, 0, 1)}).alone, 2U);
}

TEST(Agreement, PutsThePicturesThatDifferMostFirst) {
  const std::vector<vision::Detection> same{detection(0.9F, 0)};
  const std::vector<vision::Detection> moved{detection(0.9F, 10)};
  const std::vector<DetectionsOfImage> left{same, same, same};
  const std::vector<DetectionsOfImage> right{same, moved, {}};
  const auto chosen = least_alike(agreement(left, right), 5);
  ASSERT_EQ(chosen.size(), 2U);
  EXPECT_EQ(chosen[0].image, 2U);
  EXPECT_EQ(chosen[1].image, 1U);
}

}  // namespace
}  // namespace andon::evaluate
