// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/result.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "vision/image/decode.hpp"

namespace andon::inspect {
namespace {

Identity identity() {
  return {"device-1", {"com.example.Inspect", "1.2.0"}, {"com.example.Model", "3.0.0"}, "abc123"};
}

TEST(ResultMessage, HasTheDocumentedForm) {
  Inspection inspection;
  inspection.timestamp = base::from_epoch_millis(1'795'341'600'123);
  inspection.image_name = "tag.jpg";
  inspection.size = {450, 300};
  inspection.detections = {{{0, 0.57929F, {124.2486F, 144.28F, 169.0455F, 29.0F}}, "scratch"}};
  inspection.decode = vision::Milliseconds(0.61239);
  inspection.preprocess = vision::Milliseconds(0.25);
  inspection.inference = vision::Milliseconds(22.5);
  EXPECT_EQ(to_message(inspection, identity()),
            R"({"timestamp":"2026-11-22T10:00:00.123Z","thing":"device-1",)"
            R"("component":{"name":"com.example.Inspect","version":"1.2.0"},)"
            R"("model":{"component":"com.example.Model","version":"3.0.0","sha256":"abc123"},)"
            R"("image":{"name":"tag.jpg","width":450,"height":300},)"
            R"("detections":[{"class_id":0,"label":"scratch","confidence":0.5793,)"
            R"("box":[124.25,144.28,169.05,29.0]}],)"
            R"("ms":{"decode":0.612,"preprocess":0.25,"inference":22.5,"postprocess":0.0}})");
}

TEST(ResultMessage, OfAPictureThatCannotBeDecodedSaysWhy) {
  Inspection inspection;
  inspection.timestamp = base::from_epoch_millis(0);
  inspection.image_name = "bad\xFF\xC3\xA9.jpg";
  inspection.error = base::Error(base::ErrorCode::invalid_argument, "bad.jpg is empty (0 bytes)");
  EXPECT_EQ(
      to_message(inspection, identity()),
      R"({"timestamp":"1970-01-01T00:00:00.000Z","thing":"device-1",)"
      R"("component":{"name":"com.example.Inspect","version":"1.2.0"},)"
      R"("model":{"component":"com.example.Model","version":"3.0.0","sha256":"abc123"},)"
      "\"image\":{\"name\":\"bad\xEF\xBF\xBD\xC3\xA9.jpg\",\"width\":0,\"height\":0},"
      R"("detections":[],)"
      R"("ms":{"decode":0.0,"preprocess":0.0,"inference":0.0,"postprocess":0.0},)"
      R"json("error":{"code":"invalid_argument","message":"bad.jpg is empty (0 bytes)"}})json");
}

TEST(ResultMessage, TellsMasksClassesAndAnomaliesWhereTheModelDoes) {
  Inspection inspection;
  inspection.detections = {{{0, 0.5F, {1, 2, 3, 4}}, "scratch"}};
  inspection.masks = {{{4, 2}, {3, 1, 4}}};
  inspection.batch = 4;
  inspection.classes = {{{1, 0.75F}, "good"}, {{0, 0.25F}, "bad"}};
  inspection.anomaly = {0.123456, std::nullopt};
  const auto message = base::parse_json(to_message(inspection, identity()), "message");
  EXPECT_EQ(base::to_text(message.at("detections").at(0).at("mask")),
            R"({"size":[2,4],"counts":[3,1,4]})");
  EXPECT_EQ(base::to_text(message.at("classes")),
            R"([{"class_id":1,"label":"good","confidence":0.75},)"
            R"({"class_id":0,"label":"bad","confidence":0.25}])");
  EXPECT_EQ(base::to_text(message.at("anomaly")), R"({"score":0.1235})");
  EXPECT_EQ(message.at("ms").at("batch"), 4);
}

TEST(ResultMessage, TellsKeypointsAndTurnedBoxes) {
  Inspection inspection;
  inspection.detections = {{{0, 0.5F, {1, 2, 3, 4}}, "a"}, {{1, 0.25F, {5, 6, 7, 8}}, "b"}};
  inspection.rotated = {{2.5F, 4.004F, 3, 2, 0.12345F}, {7, 8, 9, 10, -0.5F}};
  inspection.keypoints = {{1, 2, 0.98766F}, {3, 4.126F, std::nullopt}, {5, 6, 1.0F}, {7, 8, 0.0F}};
  const auto message = base::parse_json(to_message(inspection, identity()), "message");
  const auto& detections = message.at("detections");
  EXPECT_EQ(base::to_text(detections.at(0).at("rotated_box")), "[2.5,4.0,3.0,2.0,0.1235]");
  EXPECT_EQ(base::to_text(detections.at(1).at("rotated_box")), "[7.0,8.0,9.0,10.0,-0.5]");
  EXPECT_EQ(base::to_text(detections.at(0).at("keypoints")), "[[1.0,2.0,0.9877],[3.0,4.13]]");
  EXPECT_EQ(base::to_text(detections.at(1).at("keypoints")), "[[5.0,6.0,1.0],[7.0,8.0,0.0]]");
  inspection.clear();
  inspection.detections = {{{0, 0.5F, {1, 2, 3, 4}}, "a"}};
  const auto plain = base::parse_json(to_message(inspection, identity()), "message");
  EXPECT_FALSE(plain.at("detections").at(0).as_object().contains("keypoints"));
  EXPECT_FALSE(plain.at("detections").at(0).as_object().contains("rotated_box"));
}

TEST(ResultMessage, HasTheAnomalyMapAsAPng) {
  Inspection inspection;
  inspection.anomaly = {0.5, vision::GreyMap{{2, 1}, {0, 1.256F, 64, 32}, {0.1F, 0.75F}, {0, 255}}};
  const auto message = base::parse_json(to_message(inspection, identity()), "message");
  const base::json::value& map = message.at("anomaly").at("map");
  EXPECT_EQ(map.at("size"), (base::json::array{1, 2}));
  EXPECT_EQ(map.at("box"), (base::json::array{0.0, 1.26, 64.0, 32.0}));
  EXPECT_EQ(map.at("min"), 0.1);
  EXPECT_EQ(map.at("max"), 0.75);
  const auto png = base::from_base64(map.at("png").as_string());
  ASSERT_TRUE(png.has_value());
  vision::ImageDecoder decoder;
  const vision::Image& image = decoder.decode(*png, "map.png");
  EXPECT_EQ(image.size, (vision::Size{2, 1}));
  EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255}));
}

TEST(ResultMessage, StaysSmallEnoughForAwsIotWithTheLargestMap) {
  std::mt19937 random(3);
  vision::GreyMap noise{{kMaxMapSide, kMaxMapSide}, {}, {}, {}};
  for (int i = 0; i < kMaxMapSide * kMaxMapSide; ++i) {
    noise.levels.push_back(static_cast<std::uint8_t>(random()));
  }
  Inspection inspection;
  inspection.anomaly = {0.5, noise};
  constexpr std::size_t kMost = 128 * 1024;
  EXPECT_LT(to_message(inspection, identity()).size(), kMost - 30'000);
}

TEST(ResultMessage, GivesASliverItsArea) {
  Inspection inspection;
  inspection.detections = {{{0, 0.5F, {1, 2, 0.003F, 30}}, "scratch"}};
  const auto message = base::parse_json(to_message(inspection, identity()), "message");
  EXPECT_EQ(base::to_text(message.at("detections").at(0).at("box")), "[1.0,2.0,0.01,30.0]");
}

TEST(ArtifactPath, NamesTheComponentAndItsVersion) {
  const auto id = component_of_artifact("/r/packages/artifacts/com.x.Model/1.0.3/model.onnx");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->name, "com.x.Model");
  EXPECT_EQ(id->version, "1.0.3");
  const auto unpacked =
      component_of_artifact("/r/packages/artifacts-unarchived/com.x.Model/2.0.0/zip/a/model.onnx");
  ASSERT_TRUE(unpacked.has_value());
  EXPECT_EQ(unpacked->version, "2.0.0");
  EXPECT_FALSE(component_of_artifact("/models/scratch.onnx").has_value());
  EXPECT_FALSE(component_of_artifact("artifacts/a.onnx").has_value());
}

}  // namespace
}  // namespace andon::inspect
