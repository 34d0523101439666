// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/model_spec.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

std::string refusal(std::string_view text) {
  try {
    (void)parse_model_spec(base::parse_json(text, "test"));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "accepted";
}

TEST(ModelSpec, SaysEverythingThatAModelMayLeaveOpen) {
  const ModelSpec spec = parse_model_spec(base::parse_json(
      R"({"head": "yolox", "labels": ["a", "b"], "inputSize": [640, 448], "fit": "stretch",
          "channels": "bgr", "divisor": 1, "mean": [1, 2, 3.5], "std": [2, 2, 2],
          "decoded": true, "resample": "bicubic", "resize": 256})",
      "test"));
  EXPECT_EQ(spec.head, HeadKind::yolox);
  EXPECT_EQ(spec.labels.size(), 2U);
  EXPECT_EQ(spec.input_size, (Size{640, 448}));
  EXPECT_EQ(spec.fit, Fit::stretch);
  EXPECT_EQ(spec.channels, Preprocessing::Channels::bgr);
  EXPECT_EQ(spec.divisor, 1.0F);
  EXPECT_EQ(spec.mean->at(2), 3.5F);
  EXPECT_EQ(spec.deviation->at(0), 2.0F);
  EXPECT_EQ(spec.is_decoded, true);
  EXPECT_EQ(spec.resample, Preprocessing::Resample::bicubic);
  EXPECT_EQ(spec.resize, 256);
  EXPECT_FALSE(parse_model_spec(base::parse_json("{}", "test")).head.has_value());
}

TEST(ModelSpec, RefusesWhatItDoesNotKnowAndSaysWhatItMayBe) {
  const auto mentions = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_PRED2(mentions, refusal(R"({"head": "yolov4"})"), "yolov5, yolox");
  EXPECT_PRED2(mentions, refusal(R"({"heads": "yolov5"})"), "heads is not known");
  EXPECT_PRED2(mentions, refusal(R"({"inputSize": [640]})"), "[width, height]");
  EXPECT_PRED2(mentions, refusal(R"({"inputSize": [0, 640]})"), "[width, height]");
  EXPECT_PRED2(mentions, refusal(R"({"mean": [1, 2]})"), "three numbers");
  EXPECT_PRED2(mentions, refusal(R"({"std": [1, 0, 1]})"), "more than 0");
  EXPECT_PRED2(mentions, refusal(R"({"resample": "lanczos"})"), "opencv, bilinear, bicubic");
  EXPECT_PRED2(mentions, refusal(R"({"resize": 0})"), "1 to 16384");
  EXPECT_PRED2(mentions, refusal(R"({"divisor": 0})"), "more than 0");
  EXPECT_PRED2(mentions, refusal(R"({"keypoints": [17, 4]})"), "1 to 1000, and 2 or 3");
  EXPECT_PRED2(mentions, refusal(R"({"keypoints": [0, 3]})"), "how many");
  EXPECT_PRED2(mentions, refusal(R"({"labels": [1]})"), "list of texts");
}

TEST(Families, StandOnceInTheTableWithAllThatIsNeeded) {
  std::set<std::string_view> names;
  for (const Family* family : families()) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_EQ(&family_of(family->kind), family);
    EXPECT_EQ(head_kind(to_string(family->kind)), family->kind);
    EXPECT_FALSE(family->help.empty() || family->task.empty()) << family->name;
    EXPECT_TRUE(family->read != nullptr && family->fit != nullptr && family->check != nullptr &&
                family->make != nullptr)
        << family->name;
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(HeadKind::anomaly) + 1);
}

TEST(ModelSpec, IsWrittenAsItIsRead) {
  EXPECT_EQ(to_yaml({}), "");
  for (const char* text :
       {R"({"head":"yolox","labels":["a: b","Sch\u00e4den","no"],"inputSize":[640,448]})",
        R"({"fit":"centre_crop","channels":"bgr","divisor":1,"resample":"bicubic","resize":256})",
        R"({"head":"yolov8_pose","keypoints":[17,3]})",
        R"({"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225],"decoded":true})"}) {
    const ModelSpec spec = parse_model_spec(base::parse_json(text, "test"));
    const std::string written = to_yaml(spec);
    EXPECT_EQ(parse_model_spec(recipe::parse_json_or_yaml(written, "test")), spec) << written;
  }
}

}  // namespace
}  // namespace andon::vision
