// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/testing/models.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;

TEST(FindHead, RecognisesTheLevelsOfADetector) {
  const HeadSearch search = find_head(test_runtime(), tiny_detector().model(), std::nullopt);
  ASSERT_TRUE(search.head) << search.reason;
  EXPECT_EQ(search.head->reg_max, 16U);
  EXPECT_EQ(search.head->classes, 2U);
  ASSERT_EQ(search.head->levels.size(), 2U);
  EXPECT_EQ(search.head->levels[0].stride, 8);
  EXPECT_EQ(search.head->levels[0].boxes, "boxes8");
  EXPECT_EQ(search.head->levels[1].scores, "scores16");
}

TEST(FindHead, DoesNotTrustWhatOnlyLooksLikeOne) {
  ModelBuilder builder = tiny_detector();
  for (auto& tensor : *builder.graph().mutable_initializer()) {
    if (tensor.name() == "two") tensor = make_floats("two", {}, std::vector<float>{3.0F});
  }
  const HeadSearch search = find_head(test_runtime(), builder.model(), std::nullopt);
  EXPECT_FALSE(search.head);
  EXPECT_THAT(search.reason, HasSubstr("does not decode"));
}

TEST(FindHead, SaysWhyAClassifierHasNone) {
  ModelBuilder builder;
  builder.input("x", {1, 3, 8, 8});
  builder.conv("x", "y", 3, 4, 3, 1);
  builder.output("y", {1, 4, 8, 8});
  EXPECT_THAT(find_head(test_runtime(), builder.model(), std::nullopt).reason,
              HasSubstr("not a pair for each level"));
}

TEST(CutHead, LeavesTheLastConvolutionsAsOutputs) {
  const Model whole = tiny_detector().model();
  const HeadSearch search = find_head(test_runtime(), whole, std::nullopt);
  ASSERT_TRUE(search.head);
  Model cut = whole;
  cut_head(cut, *search.head);
  EXPECT_EQ(output_names(cut),
            (std::vector<std::string>{"boxes_8", "scores_8", "boxes_16", "scores_16"}));
  EXPECT_EQ(cut.metadata().at("andon_head"), "yolov8_dfl");
  EXPECT_EQ(cut.metadata().at("andon_reg_max"), "16");
  EXPECT_EQ(cut.metadata().at("names"), "{0: 'scratch', 1: 'dent'}");

  Execution expected(test_runtime(), whole, output_names(whole), inputs_of(whole, std::nullopt));
  Execution actual(test_runtime(), cut, output_names(cut), inputs_of(cut, std::nullopt));
  const auto& wanted = expected.run_random(3);
  const auto& tensors = actual.run_random(3);
  EXPECT_EQ(tensors[0].shape, (std::vector<std::int64_t>{1, 64, 8, 8}));
  EXPECT_EQ(tensors[3].shape, (std::vector<std::int64_t>{1, 2, 4, 4}));
  const std::vector<float> decoded = decode_head(*search.head, tensors);
  ASSERT_EQ(decoded.size(), wanted[0].floats().size());
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    EXPECT_NEAR(decoded[i], wanted[0].floats()[i], 1e-3);
  }
}

TEST(CutHead, HasItsNamesWhateverTheModelsTensorsAreCalled) {
  ModelBuilder builder = tiny_detector();
  // A tensor in the middle, one of the head that is to get another of the names, and weights.
  rename_tensors(builder.graph(),
                 {{"p3", "boxes_8"}, {"boxes16", "scores_8"}, {"two", "boxes_16"}});
  const Model whole = builder.model();
  const HeadSearch search = find_head(test_runtime(), whole, std::nullopt);
  ASSERT_TRUE(search.head) << search.reason;
  EXPECT_EQ(search.head->levels[1].boxes, "scores_8");
  Model cut = whole;
  cut_head(cut, *search.head);
  EXPECT_EQ(output_names(cut),
            (std::vector<std::string>{"boxes_8", "scores_8", "boxes_16", "scores_16"}));
  Execution expected(test_runtime(), whole, output_names(whole), inputs_of(whole, std::nullopt));
  Execution actual(test_runtime(), cut, output_names(cut), inputs_of(cut, std::nullopt));
  const auto& wanted = expected.run_random(3);
  const std::vector<float> decoded = decode_head(*search.head, actual.run_random(3));
  ASSERT_EQ(decoded.size(), wanted[0].floats().size());
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    EXPECT_NEAR(decoded[i], wanted[0].floats()[i], 1e-3);
  }
}

TEST(FittedInput, KeepsTheLongerSideAndFillsTheOtherInWholeSteps) {
  Head head;
  head.levels = {{8, 80, 80, "", ""}, {16, 40, 40, "", ""}, {32, 20, 20, "", ""}};
  const std::pair<vision::Size, vision::Size> table[] = {{{450, 300}, {640, 448}},
                                                         {{1280, 1024}, {640, 512}},
                                                         {{1024, 1280}, {512, 640}},
                                                         {{500, 500}, {640, 640}},
                                                         {{9000, 10}, {640, 32}}};
  for (const auto& [picture, input] : table) {
    EXPECT_EQ(fitted_input(head, picture), input) << picture.width << "x" << picture.height;
  }
  EXPECT_THROW(static_cast<void>(fitted_input(head, {0, 300})), base::Error);
}

TEST(SetInputSize, LetsACutModelRunOnWhatFitsThePictures) {
  const Model whole = tiny_detector().model();
  const HeadSearch search = find_head(test_runtime(), whole, std::nullopt);
  ASSERT_TRUE(search.head);
  Model cut = whole;
  cut_head(cut, *search.head);
  set_input_size(cut, *search.head, {64, 32});
  EXPECT_EQ(cut.metadata().at("imgsz"), "[32, 64]");
  Execution execution(test_runtime(), cut, output_names(cut), inputs_of(cut, std::nullopt));
  const auto& tensors = execution.run_random(3);
  EXPECT_EQ(tensors[0].shape, (std::vector<std::int64_t>{1, 64, 4, 8}));
  EXPECT_EQ(tensors[3].shape, (std::vector<std::int64_t>{1, 2, 2, 4}));
}

TEST(FindTail, HoldsWhatIsBehindTheLastConvolutions) {
  const Tail tail = find_tail(tiny_detector().model());
  EXPECT_EQ(tail.last_convolutions.size(), 4U);
  EXPECT_TRUE(tail.tensors.contains("output0"));
  EXPECT_TRUE(tail.tensors.contains("shares"));
  EXPECT_FALSE(tail.tensors.contains("p3"));
}

}  // namespace
}  // namespace andon::model
