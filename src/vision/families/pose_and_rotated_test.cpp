// SPDX-License-Identifier: Apache-2.0
// Keypoints and turned boxes: small models built in place, and expectations worked out by hand.
// Parity with Ultralytics' formulas on random values is in tests/integration/test_heads.py.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error/error.hpp"
#include "vision/detect/detector.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

Image white(Size size) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), 255);
  return image;
}

Detector open(const tiny_onnx::ModelSpec& model, const ModelSpec& said = {}) {
  DetectorOptions options;
  options.spec = said;
  return Detector(test_runtime(), tiny_onnx::model(model), "tiny.onnx", options);
}

// Planes over the 84 cells of an input of 64x64; `columns` at anchors 0, 1, 2, ...
tiny_onnx::ModelSpec planes(std::int64_t channels, const std::vector<std::vector<float>>& columns,
                            const std::map<std::string, std::string>& metadata) {
  tiny_onnx::ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  model.metadata = metadata;
  std::vector<float> values(static_cast<std::size_t>(channels) * 84);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t c = 0; c < columns[i].size(); ++c) values[c * 84 + i] = columns[i][c];
  }
  model.outputs = {{"output0", {1, channels, 84}, values, {}}};
  return model;
}

void expect_point(const Keypoint& found, float x, float y, std::optional<float> confidence) {
  EXPECT_NEAR(found.x, x, 0.01);
  EXPECT_NEAR(found.y, y, 0.01);
  ASSERT_EQ(found.confidence.has_value(), confidence.has_value());
  if (confidence) {
    EXPECT_NEAR(*found.confidence, *confidence, 1e-4);
  }
}

TEST(Pose, GivesEachBoxItsKeypointsInThePicture) {
  const std::map<std::string, std::string> metadata{
      {"task", "pose"}, {"names", "{0: 'part'}"}, {"kpt_shape", "[2, 3]"}};
  // The second box is the first one's double; the last keypoint of the third lies outside.
  const tiny_onnx::ModelSpec model = planes(11,
                                            {{32, 32, 16, 16, 0.8F, 30, 30, 0.9F, 40, 36, 0.25F},
                                             {32, 32, 16, 16, 0.7F, 1, 1, 1, 1, 1, 1},
                                             {8, 40, 8, 8, 0.9F, 8, 40, 1, -3, 70, 0.5F}},
                                            metadata);
  Detector detector = open(model);
  EXPECT_EQ(detector.description().head, HeadKind::yolov8_pose);
  EXPECT_EQ(detector.description().task, "pose");
  const auto& found = detector.detect(white({128, 128}));
  ASSERT_EQ(found.detections.size(), 2U);
  ASSERT_EQ(found.keypoints.size(), 4U);
  EXPECT_NEAR(found.detections[0].confidence, 0.9, 1e-4);
  expect_point(found.keypoints[0], 16, 80, 1.0F);
  expect_point(found.keypoints[1], 0, 128, 0.5F);
  EXPECT_NEAR(found.detections[1].box.x, 48, 0.01);
  expect_point(found.keypoints[2], 60, 60, 0.9F);
  expect_point(found.keypoints[3], 80, 72, 0.25F);
}

// For a white picture of 128x64, which has 16 rows of grey above and below in the input: the small
// models multiply what they give by the mean of their input.
std::vector<std::vector<float>> under_padding(std::vector<std::vector<float>> columns) {
  constexpr float kMean = (1 + 114 / 255.0F) / 2;
  for (auto& column : columns) {
    for (float& value : column) value /= kMean;
  }
  return columns;
}

TEST(Pose, LeavesOutKeypointsWithTheirBoxWhereItLiesInThePadding) {
  const std::map<std::string, std::string> metadata{
      {"task", "pose"}, {"names", "['part']"}, {"kpt_shape", "[1, 2]"}};
  const tiny_onnx::ModelSpec model = planes(
      7, under_padding({{32, 6, 8, 8, 0.9F, 32, 6}, {32, 32, 16, 16, 0.8F, 30, 30}}), metadata);
  Detector detector = open(model);
  const auto& found = detector.detect(white({128, 64}));
  ASSERT_EQ(found.detections.size(), 1U);
  ASSERT_EQ(found.keypoints.size(), 1U);
  expect_point(found.keypoints[0], 60, 28, std::nullopt);
}

TEST(RotatedBoxes, LeavesOutThoseThatLieInThePadding) {
  const tiny_onnx::ModelSpec model =
      planes(6, under_padding({{32, 6, 8, 4, 0.9F, 0.1F}, {32, 32, 16, 8, 0.8F, 0}}),
             {{"task", "obb"}, {"names", "['part']"}});
  Detector detector = open(model);
  const auto& found = detector.detect(white({128, 64}));
  ASSERT_EQ(found.detections.size(), 1U);
  ASSERT_EQ(found.rotated.size(), 1U);
  EXPECT_NEAR(found.rotated[0].centre_x, 64, 0.01);
}

TEST(Pose, TakesTheShapeOfItsKeypointsFromItsDescription) {
  const tiny_onnx::ModelSpec model =
      planes(11, {{32, 32, 16, 16, 0.8F, 30, 30, 31, 31, 32, 32}}, {{"names", "['part']"}});
  EXPECT_THROW((void)open(model), base::Error);
  ModelSpec said;
  said.head = HeadKind::yolov8_pose;
  EXPECT_THROW((void)open(model, said), base::Error);
  said.keypoints = KeypointShape{3, 2};
  Detector detector = open(model, said);
  const auto& found = detector.detect(white({64, 64}));
  ASSERT_EQ(found.keypoints.size(), 3U);
  expect_point(found.keypoints[2], 32, 32, std::nullopt);
  said.keypoints = KeypointShape{4, 2};  // leaves no class
  EXPECT_THROW((void)open(model, said), base::Error);
}

TEST(Pose, TakesRowsThatTheModelPicked) {
  tiny_onnx::ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  model.metadata = {{"task", "pose"},
                    {"names", "{0: 'a', 1: 'b'}"},
                    {"kpt_shape", "[1, 3]"},
                    {"end2end", "True"}};
  model.outputs = {{"output0",
                    {1, 4, 9},
                    {8, 8, 24, 24, 0.6F, 1, 10, 12, 0.5F,  //
                     8, 8, 24, 24, 0.9F, 0, 20, 16, 0.75F},
                    {}}};
  Detector detector = open(model);
  EXPECT_EQ(detector.description().head, HeadKind::end_to_end_pose);
  const auto& found = detector.detect(white({64, 64}));
  ASSERT_EQ(found.detections.size(), 2U);
  ASSERT_EQ(found.keypoints.size(), 2U);
  EXPECT_EQ(found.detections[0].class_id, 0);
  expect_point(found.keypoints[0], 20, 16, 0.75F);
  expect_point(found.keypoints[1], 10, 12, 0.5F);
}

const std::map<std::string, std::string> kObb{{"task", "obb"}, {"names", "{0: 'a', 1: 'b'}"}};

TEST(RotatedBoxes, AreFoundWithTheirAnglesAndTheUprightBoxAround) {
  const float angle = std::atan2(3.0F, 4.0F);  // sides of 20 and 10 reach 11 and 10 to each side
  Detector detector = open(planes(7,
                                  {{32, 32, 20, 10, 0, 0.8F, angle},
                                   {32, 32, 20, 10, 0.7F, 0, angle},  // another class
                                   {33, 32, 20, 10, 0, 0.6F, angle},  // the same thing
                                   {32, 32, 20, 10, 0, 0.5F, angle + kPi / 2}},
                                  kObb));
  EXPECT_EQ(detector.description().head, HeadKind::yolov8_obb);
  EXPECT_EQ(detector.description().task, "obb");
  const auto& found = detector.detect(white({128, 128}));
  ASSERT_EQ(found.detections.size(), 3U);
  ASSERT_EQ(found.rotated.size(), 3U);
  const RotatedBox& first = found.rotated[0];
  EXPECT_EQ(found.detections[0].class_id, 1);
  EXPECT_NEAR(first.centre_x, 64, 0.01);
  EXPECT_NEAR(first.width, 40, 0.01);
  EXPECT_NEAR(first.height, 20, 0.01);
  EXPECT_NEAR(first.angle, angle, 1e-5);
  EXPECT_NEAR(found.detections[0].box.x, 64 - 22, 0.01);
  EXPECT_NEAR(found.detections[0].box.width, 44, 0.01);
  EXPECT_NEAR(found.detections[0].box.height, 40, 0.01);
  EXPECT_EQ(found.detections[1].class_id, 0);
  EXPECT_NEAR(found.rotated[2].angle, angle + kPi / 2, 1e-5);
  DetectionOptions agnostic;
  agnostic.suppression = DetectionOptions::Suppression::agnostic;
  EXPECT_EQ(detector.detect(white({128, 128}), agnostic).detections.size(), 2U);
}

TEST(RotatedBoxes, TurnAsThePictureIsStretched) {
  ModelSpec said;
  said.fit = Fit::stretch;
  Detector detector = open(planes(7, {{32, 32, 20, 10, 0, 0.8F, kPi / 4}}, kObb), said);
  const auto& found = detector.detect(white({128, 64}));
  ASSERT_EQ(found.rotated.size(), 1U);
  EXPECT_NEAR(found.rotated[0].angle, std::atan2(1.0F, 2.0F), 1e-5);
  EXPECT_NEAR(found.rotated[0].width, 20 * std::sqrt(2.5F), 1e-3);
  EXPECT_NEAR(found.rotated[0].centre_x, 64, 0.01);
}

TEST(RotatedBoxes, AreTakenOutOfRowsThatTheModelPicked) {
  tiny_onnx::ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  model.metadata = kObb;
  model.metadata["args"] = "{'nms': True, 'max_det': 2}";
  model.outputs = {{"output0",
                    {1, 3, 7},
                    {32, 32, 20, 10, 0.9F, 1, 2 * kPi + 0.5F,  //
                     32, 32, 20, 10, 0.8F, 1, 0.5F,            //
                     0,  0,  0,  0,  0.7F, 0, 0},
                    {}}};
  Detector detector = open(model);
  EXPECT_EQ(detector.description().head, HeadKind::end_to_end_obb);
  const auto& found = detector.detect(white({64, 64}));
  ASSERT_EQ(found.rotated.size(), 2U);
  EXPECT_NEAR(found.rotated[0].angle, 0.5, 1e-4);
  EXPECT_NEAR(found.detections[1].confidence, 0.8, 1e-4);
}

TEST(Yolov7EndToEnd, GivesEachPictureOfABatchItsOwnBoxes) {
  tiny_onnx::ModelSpec model;
  model.input_shape = {2, 3, 64, 64};
  model.outputs = {{"output0",
                    {3, 7},
                    {1, 4, 4, 12, 12, 0, 0.9F,  //
                     0, 8, 8, 16, 16, 1, 0.8F,  //
                     1, 8, 8, 16, 16, 1, 0.3F},
                    {}}};
  Detector detector = open(model);
  EXPECT_EQ(detector.description().head, HeadKind::yolov7_end_to_end);
  const Image picture = white({64, 64});
  const Image* const pictures[] = {&picture, &picture};
  const auto found = detector.detect(pictures);
  ASSERT_EQ(found[0].detections.size(), 1U);
  EXPECT_EQ(found[0].detections[0].class_id, 1);
  ASSERT_EQ(found[1].detections.size(), 2U);
  EXPECT_NEAR(found[1].detections[0].box.x, 4, 0.01);
}

}  // namespace
}  // namespace andon::vision
