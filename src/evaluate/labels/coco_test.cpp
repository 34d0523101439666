// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/coco.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kGood = R"({
  "info": {"description": "skipped", "deep": [[{"bbox": [1]}]]},
  "annotations": [
    {"id": 7, "image_id": 900, "category_id": 18, "bbox": [10, 20.5, 30, 4e1], "area": 1000.25,
     "iscrowd": 0, "segmentation": [[1, 2, 3]], "extra": {"id": 3}},
    {"id": 3, "image_id": 900, "category_id": 2, "bbox": [0, 0, 5, 5], "iscrowd": 1}],
  "images": [
    {"id": 900, "file_name": "b.jpg", "width": 450, "height": 300},
    {"id": -4, "file_name": "sub/a.jpg"}],
  "categories": [{"id": 18, "name": "dent"}, {"id": 2, "name": "scratch"}]})";

std::string refusal(std::string_view text) {
  try {
    static_cast<void>(parse_coco(text, "labels.json"));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "accepted";
}

// kGood with a piece of it changed.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Coco, ReadsPicturesObjectsAndCategoriesInAnyOrderAndById) {
  const Dataset dataset = parse_coco(kGood, "labels.json");
  ASSERT_EQ(dataset.categories.size(), 2U);
  EXPECT_EQ(dataset.categories[0].name, "scratch");
  EXPECT_EQ(dataset.categories[1].id, 18);
  ASSERT_EQ(dataset.images.size(), 2U);
  EXPECT_EQ(dataset.images[0].file_name, "sub/a.jpg");
  EXPECT_EQ(dataset.images[0].size, vision::Size{});
  EXPECT_EQ(dataset.images[1].size, (vision::Size{450, 300}));
  ASSERT_EQ(dataset.images[1].truths.size(), 2U);
  const Truth& first = dataset.images[1].truths[0];
  EXPECT_EQ(first.category, 1U);
  EXPECT_EQ(first.box, (Rectangle{10, 20.5, 30, 40}));
  EXPECT_EQ(first.area, 1000.25);
  EXPECT_FALSE(first.is_crowd);
  const Truth& second = dataset.images[1].truths[1];
  EXPECT_EQ(second.area, 25);
  EXPECT_TRUE(second.is_crowd);
  EXPECT_TRUE(dataset.warnings.empty());
}

TEST(Coco, ReadsTheExamplesLabels) {
  const Dataset dataset =
      read_coco(base::fs::path(ANDON_SOURCE_DIR) / "examples/metal-tags/annotations.json");
  EXPECT_GT(dataset.images.size(), 10U);
  EXPECT_GT(dataset.count_truths(), 10U);
  EXPECT_TRUE(dataset.warnings.empty());
}

TEST(Coco, KeepsNumbersToTheLastDigit) {
  const Dataset dataset = parse_coco(
      changed("10, 20.5, 30, 4e1", "0.1234567890123456789, 1e-7, 123.456789012345678, 1"),
      "labels.json");
  EXPECT_EQ(dataset.images[1].truths[0].box,
            (Rectangle{0.1234567890123456789, 1e-7, 123.456789012345678, 1}));
}

TEST(Coco, RefusesWhatIsWrongAndSaysWhere) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "labels.json is not valid JSON: incomplete JSON at line 1, column 1"},
      {"{\"images\": [],\n  \"annotations\": [}", "line 2, column 19"},
      {"[]", "it is a list, not an object with \"images\""},
      {"3", "it is not an object"},
      {"{}", "it has no \"images\""},
      {R"({"images": {}, "annotations": [], "categories": []})", "images is not a list"},
      {R"({"images": null})", "images is not a list"},
      {R"({"images": [], "images": []})", "has \"images\" twice"},
      {R"({"images": [3], "annotations": []})", "images[0] is not an object"},
      {R"({"images": [[]], "annotations": []})", "images[0] is not an object"},
      {R"({"images": [], "annotations": [], "categories": []})", "images is empty"},
      {changed("[10, 20.5, 30, 4e1]", "[10, NaN, 30, 40]"), "NaN and Infinity are not numbers"},
      {changed("10, 20.5, 30, 4e1", "10, 20, 1e999, 40"), "annotations[0].bbox: inf is no coord"},
      {changed("10, 20.5, 30, 4e1", "10, 20, -3, 40"), "annotations[0].bbox: the size is negative"},
      {changed("10, 20.5, 30, 4e1", "10, 20, 3"), "annotations[0].bbox must be [x, y, width, h"},
      {changed("10, 20.5, 30, 4e1", "10, 20, 3, \"4\""), "annotations[0].bbox must be [x, y"},
      {changed("10, 20.5, 30, 4e1", "500, 20, 3, 4"), "lies outside its picture (450x300)"},
      {changed("\"bbox\": [0, 0, 5, 5]", "\"b\": 0"), "annotations[1].bbox is missing"},
      {changed("\"area\": 1000.25", "\"area\": -1"), "annotations[0].area must be a number"},
      {changed("\"iscrowd\": 1", "\"iscrowd\": 2"), "annotations[1].iscrowd must be 0 or 1"},
      {changed("\"id\": 3,", "\"id\": 7,"), "annotations[1].id: another annotation has the id 7"},
      {changed("\"id\": 7", "\"id\": \"7\""), "annotations[0].id must be a whole number"},
      {changed("\"id\": 7", "\"id\": 7.5"), "annotations[0].id must be a whole number"},
      {changed("\"image_id\": 900", "\"image_id\": 901"), "there is no picture with the id 901"},
      {changed("\"category_id\": 2", "\"category_id\": 3"), "there is no category with the id 3"},
      {changed("\"id\": -4", "\"id\": 900"), "images[1].id: another picture has the id 900"},
      {changed("sub/a.jpg", "b.jpg"), "images[1].file_name: 'b.jpg' occurs twice"},
      {changed("sub/a.jpg", "../a.jpg"), "images[1].file_name must be the name of a file below"},
      {changed("sub/a.jpg", "/etc/passwd"), "images[1].file_name must be the name of a file below"},
      {changed("sub/a.jpg", "a\\u0000b"), "images[1].file_name must be the name of a file below"},
      {changed("\"sub/a.jpg\"", "4"), "images[1].file_name must be a text"},
      {changed("\"width\": 450", "\"width\": 0"), "images[0].width must be a whole number from 1"},
      {changed("\"scratch\"", "\"dent\""), "categories[1]: another category has the name 'dent'"},
      {changed("\"id\": 2,", "\"id\": 18,"), "categories[1]: another category has the id 18"},
      {std::string(kGood) + "x", "is not valid JSON"},
  };
  for (const auto& [text, expected] : cases) EXPECT_THAT(refusal(text), HasSubstr(expected));
}

TEST(Coco, TellsTheFirstOfManyProblems) {
  std::string text = R"({"categories": [], "annotations": [], "images": [)";
  for (int i = 0; i < 100; ++i) text += "{},";
  text.back() = ']';
  const std::string message = refusal(text + "}");
  EXPECT_THAT(message, HasSubstr("labels.json has 200 problems:\n  images[0].id is missing"));
  EXPECT_THAT(message, testing::Not(HasSubstr("images[50]")));
}

TEST(Coco, KeepsBoxesThatAreOddAndSaysSo) {
  EXPECT_THAT(parse_coco(changed("0, 0, 5, 5", "0, 0, 0, 5"), "x").warnings,
              ElementsAre("1 boxes have no area and can never be found (first: annotations[1])"));
  EXPECT_THAT(parse_coco(changed("0, 0, 5, 5", "-20, 0, 50, 5"), "x").warnings,
              ElementsAre("1 boxes reach over the border of their picture (first: "
                          "annotations[1])"));
}

TEST(Coco, StopsAtItsLimits) {
  CocoLimits limits;
  limits.max_annotations = 1;
  EXPECT_THROW(static_cast<void>(parse_coco(kGood, "x", limits)), base::Error);
  limits = {};
  limits.max_text = 4;
  EXPECT_THROW(static_cast<void>(parse_coco(kGood, "x", limits)), base::Error);
}

TEST(Coco, SaysThatAFileIsMissing) {
  try {
    static_cast<void>(read_coco("/nonexistent/labels.json"));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("/nonexistent/labels.json"));
  }
}

TEST(CocoResults, ComeBackAsTheyWereWritten) {
  const Dataset dataset = parse_coco(kGood, "labels.json");
  const std::vector<Findings> findings{{{1, 0.1F, {0.1F, 1.0 / 3, 1e-9, 5}}, {0, 1, {1, 2, 3, 4}}},
                                       {{1, 0.25, {9, 9, 9, 9}}}};
  const auto read = parse_coco_results(to_coco_results(dataset, findings), "results.json", dataset);
  ASSERT_EQ(read.size(), 2U);
  for (std::size_t i = 0; i < read.size(); ++i) {
    ASSERT_EQ(read[i].size(), findings[i].size());
    for (std::size_t f = 0; f < read[i].size(); ++f) {
      EXPECT_EQ(read[i][f].category, findings[i][f].category);
      EXPECT_EQ(read[i][f].confidence, findings[i][f].confidence);
      EXPECT_EQ(read[i][f].box, findings[i][f].box);
    }
  }
  EXPECT_EQ(to_coco_results(dataset, {{}, {}}), "[\n]\n");
}

TEST(CocoResults, AreRefusedWithTheirPlace) {
  const Dataset dataset = parse_coco(kGood, "labels.json");
  const auto refusal_of = [&](std::string_view text) {
    try {
      static_cast<void>(parse_coco_results(text, "results.json", dataset));
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string("accepted");
  };
  const std::string good =
      R"([{"image_id": 900, "category_id": 2, "bbox": [1,2,3,4], "score": 1}])";
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return refusal_of(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_EQ(refusal_of(good), "accepted");
  EXPECT_EQ(refusal_of("[]"), "accepted");
  EXPECT_THAT(refusal_of("{}"), HasSubstr("results.json is not a list of results"));
  EXPECT_THAT(refusal_of("[1]"), HasSubstr("results[0] is not an object"));
  EXPECT_THAT(with("900", "1"), HasSubstr("results[0].image_id: the labels have no picture"));
  EXPECT_THAT(with(": 2", ": 4"), HasSubstr("results[0].category_id: the labels have no categ"));
  EXPECT_THAT(with("\"score\": 1", "\"score\": null"), HasSubstr("results[0].score must be"));
  EXPECT_THAT(with("[1,2,3,4]", "[1,2,3,4,5]"), HasSubstr("results[0].bbox must be"));
}

}  // namespace
}  // namespace andon::evaluate
