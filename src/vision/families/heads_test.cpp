// SPDX-License-Identifier: Apache-2.0
// Each family of models with a small one built in place, and expectations worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error/error.hpp"
#include "vision/detect/detector.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using tiny_onnx::ModelSpec;
using tiny_onnx::OutputSpec;

Image plain(Size size, std::uint8_t value) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), value);
  return image;
}

Image white(Size size) {
  return plain(size, 255);
}

Detector make(const ModelSpec& model, const vision::ModelSpec& said = {}) {
  DetectorOptions options;
  options.spec = said;
  return Detector(test_runtime(), tiny_onnx::model(model), "tiny.onnx", options);
}

void expect_box(const Detection& found, int class_id, float confidence, const Box& box) {
  EXPECT_EQ(found.class_id, class_id);
  EXPECT_NEAR(found.confidence, confidence, 1e-4);
  EXPECT_NEAR(found.box.x, box.x, 0.01);
  EXPECT_NEAR(found.box.y, box.y, 0.01);
  EXPECT_NEAR(found.box.width, box.width, 0.01);
  EXPECT_NEAR(found.box.height, box.height, 0.01);
}

// The cut network: at stride 16 the cell (1, 0) sees class 1; its sides are sharp at 1, 0, 0.5
// (between two bins) and 1 strides.
constexpr std::size_t kBins = 16;
constexpr float kSharp = 50;
constexpr float kLogit09 = 2.1972246F;  // log(0.9 / 0.1)

struct CutLevels {
  std::vector<float> boxes8, scores8, boxes16, scores16, boxes32, scores32;
};

CutLevels cut_levels() {
  CutLevels levels;
  levels.boxes8.assign(64 * 16, 0);
  levels.scores8.assign(2 * 16, -20);
  levels.boxes16.assign(64 * 4, 0);
  levels.scores16.assign(2 * 4, -20);
  levels.boxes32.assign(64, 0);
  levels.scores32.assign(2, -20);
  const std::size_t cell = 1;
  const auto bin = [&](std::size_t side, std::size_t at) -> float& {
    return levels.boxes16[(side * kBins + at) * 4 + cell];
  };
  bin(0, 1) = kSharp;
  bin(1, 0) = kSharp;
  bin(2, 0) = bin(2, 1) = kSharp;
  bin(3, 1) = kSharp;
  levels.scores16[4 + cell] = kLogit09;
  return levels;
}
// The cell's centre is (1.5, 0.5) strides: left 0.5, top 0.5, right 2, bottom 1.5.
constexpr Box kCutBox{8, 8, 24, 16};

TEST(Heads, DecodeTheCutNetworkLevelByLevel) {
  const CutLevels levels = cut_levels();
  ModelSpec model;
  model.outputs = {{"boxes_8", {1, 64, 4, 4}, levels.boxes8, {}},
                   {"scores_8", {1, 2, 4, 4}, levels.scores8, {}},
                   {"boxes_16", {1, 64, 2, 2}, levels.boxes16, {}},
                   {"scores_16", {1, 2, 2, 2}, levels.scores16, {}},
                   {"boxes_32", {1, 64, 1, 1}, levels.boxes32, {}},
                   {"scores_32", {1, 2, 1, 1}, levels.scores32, {}}};
  model.metadata = {{"andon_head", "yolov8_dfl"},
                    {"andon_reg_max", "16"},
                    {"names", "{0: 'a', 1: 'b'}"},
                    {"task", "detect"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::yolov8_dfl);
  EXPECT_EQ(detector.description().anchors, 21U);
  const auto& found = detector.detect(white({32, 32})).detections;
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0], 1, 0.9F, kCutBox);
}

TEST(Heads, DecodeTheCutNetworkOutOfOneTensor) {
  const CutLevels levels = cut_levels();
  OutputSpec raw{"raw", {1, 66, 21}, {}, {}};
  const auto add = [&](const std::vector<float>& l8, const std::vector<float>& l16,
                       const std::vector<float>& l32, std::size_t channels) {
    for (std::size_t c = 0; c < channels; ++c) {
      raw.values.insert(raw.values.end(), &l8[c * 16], &l8[c * 16] + 16);
      raw.values.insert(raw.values.end(), &l16[c * 4], &l16[c * 4] + 4);
      raw.values.push_back(l32[c]);
    }
  };
  add(levels.boxes8, levels.boxes16, levels.boxes32, 64);
  add(levels.scores8, levels.scores16, levels.scores32, 2);
  ModelSpec model;
  model.outputs = {raw};
  model.metadata = {{"andon_head", "yolov8_dfl"}};
  // Fewer anchors than channels, as only so small a network has it.
  model.input_shape = {1, 3, 32, 32};
  try {
    (void)make(model);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("fewer anchors than channels"), std::string::npos);
  }
  // 64x64: four times the cells; only the first level's corner is used.
  OutputSpec larger{"raw", {1, 66, 84}, {}, {}};
  larger.values.assign(66 * 84, 0);
  const std::size_t cell = 64 + 2;  // stride 16, x 2, y 0
  for (std::size_t i = 0; i < 84; ++i) {
    larger.values[64 * 84 + i] = larger.values[65 * 84 + i] = -20;
  }
  for (std::size_t side = 0; side < 4; ++side)
    larger.values[(side * kBins + 1) * 84 + cell] = kSharp;
  larger.values[65 * 84 + cell] = kLogit09;
  model.outputs = {larger};
  model.input_shape = {1, 3, 64, 64};
  Detector detector = make(model);
  const auto& found = detector.detect(white({64, 64})).detections;
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0], 1, 0.9F, {24, 0, 32, 24});  // 2.5 -+ 1 and 0.5 -+ 1 strides, clipped
}

TEST(Heads, MultiplyObjectnessAndClassOfYolov5) {
  ModelSpec model;
  OutputSpec rows{"output0", {1, 63, 7}, std::vector<float>(63 * 7), {}};
  const std::vector<float> first{16, 16, 8, 4, 0.8F, 0.1F, 0.5F};
  const std::vector<float> second{8, 8, 4, 4, 0.3F, 0.5F, 0.1F};  // 0.15 is too little
  std::copy(first.begin(), first.end(), rows.values.begin() + 7 * 5);
  std::copy(second.begin(), second.end(), rows.values.begin() + 7 * 9);
  model.outputs = {rows};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::yolov5);
  const auto& found = detector.detect(white({64, 64})).detections;
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0], 1, 0.4F, {24, 28, 16, 8});
}

TEST(Heads, TurnYoloxGridCellsIntoBoxes) {
  ModelSpec model;
  OutputSpec rows{"output", {1, 21, 6}, std::vector<float>(21 * 6), {}};
  // Cell 16 + 3 is (1, 1) at stride 16: centre (1.25, 1.5) strides, sides 1 and 0.5 strides.
  const std::vector<float> row{0.25F, 0.5F, 0, std::log(0.5F), 0.9F, 0.9F};
  std::copy(row.begin(), row.end(), rows.values.begin() + 6 * 19);
  model.outputs = {rows};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::yolox);
  EXPECT_EQ(detector.description().preprocessing.channels, Preprocessing::Channels::bgr);
  // Bytes stay 0 to 255, so a picture of 1 everywhere is the white one of the other models.
  const auto& found = detector.detect(plain({32, 32}, 1)).detections;
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0], 0, 0.81F, {12, 20, 16, 8});

  vision::ModelSpec said;
  said.is_decoded = true;
  rows.values.assign(21 * 6, 0);
  const std::vector<float> decoded{20, 24, 16, 8, 0.9F, 0.9F};
  std::copy(decoded.begin(), decoded.end(), rows.values.begin() + 6 * 19);
  model.outputs = {rows};
  Detector other = make(model, said);
  const auto& same = other.detect(plain({32, 32}, 1)).detections;
  ASSERT_EQ(same.size(), 1U);
  expect_box(same[0], 0, 0.81F, {12, 20, 16, 8});
}

TEST(Heads, TakeEndToEndBoxesWithoutSuppression) {
  ModelSpec model;
  OutputSpec rows{"output0", {1, 300, 6}, {}, {}};
  rows.values = {4, 4, 12, 12, 0.9F, 1,   // two boxes at one place: the model wanted both
                 4, 4, 12, 12, 0.8F, 1,   //
                 0, 0, 8,  8,  0.2F, 0,   // too low
                 0, 0, 8,  8,  0.9F, 7};  // there is no class 7
  model.outputs = {rows};
  model.metadata = {{"names", "{0: 'a', 1: 'b'}"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::end_to_end);
  const auto& found = detector.detect(white({64, 64})).detections;
  ASSERT_EQ(found.size(), 2U);
  expect_box(found[0], 1, 0.9F, {8, 8, 16, 16});
  expect_box(found[1], 1, 0.8F, {8, 8, 16, 16});
}

TEST(Heads, StretchPicturesForRtDetr) {
  ModelSpec model;
  OutputSpec rows{"output0", {1, 300, 6}, {}, {}};
  rows.values = {0.5F, 0.5F, 0.25F, 0.5F, 0.1F, 0.75F};
  model.outputs = {rows};
  model.metadata = {{"names", "{0: 'a', 1: 'b'}"}, {"description", "Ultralytics RT-DETR-l model"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::rtdetr);
  const auto& found = detector.detect(white({200, 100})).detections;
  ASSERT_EQ(found.size(), 1U);
  expect_box(found[0], 1, 0.75F, {75, 25, 50, 50});
}

TEST(Heads, TellDetrThePicturesSize) {
  ModelSpec model;
  model.takes_sizes = true;
  model.outputs = {{"labels", {1, 3}, {}, {1, 0, 1}},
                   {"boxes", {1, 3, 4}, {0.25F, 0.5F, 0.5F, 1, 0, 0, 0.5F, 0.5F}, {}, true},
                   {"scores", {1, 3}, {0.9F, 0.5F, 0.1F}, {}}};
  model.metadata = {{"names", "['a', 'b']"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::detr);
  const auto& found = detector.detect(white({400, 100})).detections;
  ASSERT_EQ(found.size(), 2U);
  expect_box(found[0], 1, 0.9F, {100, 50, 100, 50});
  expect_box(found[1], 0, 0.5F, {0, 0, 200, 50});
}

TEST(Heads, TakeTheBestPairsOfQueryAndClassOfRtDetr) {
  ModelSpec model;
  OutputSpec rows{"output0", {1, 300, 6}, {}, {}};
  rows.values = {0.5F, 0.5F, 0.25F, 0.5F, 0.75F, 2,  // one query in two classes
                 0.5F, 0.5F, 0.25F, 0.5F, 0.5F,  0};
  model.outputs = {rows};
  model.metadata = {{"names", "{0: 'a', 1: 'b', 2: 'c'}"},
                    {"description", "Ultralytics rtdetr-l model"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::rtdetr);
  const auto found = detector.detect(white({200, 100})).detections;
  ASSERT_EQ(found.size(), 2U);
  expect_box(found[0], 2, 0.75F, {75, 25, 50, 50});
  expect_box(found[1], 0, 0.5F, {75, 25, 50, 50});

  // With two classes both forms have six values; newer exports name their head.
  model.metadata = {{"names", "{0: 'a', 1: 'b'}"}, {"head", "RTDETRDecoder"}};
  model.outputs[0].values = {0.5F, 0.5F, 0.25F, 0.5F, 0.75F, 1};
  Detector of_two = make(model);
  ASSERT_EQ(of_two.detect(white({200, 100})).detections.size(), 1U);
  expect_box(of_two.detect(white({200, 100})).detections[0], 1, 0.75F, {75, 25, 50, 50});
}

// What transformers' exports look like: logits of 3 classes for 4 queries, boxes in parts.
ModelSpec logits_model() {
  ModelSpec model;
  model.outputs = {
      {"logits",
       {1, 4, 3},
       {kLogit09, -5, 0.5F,  // query 0 in two classes
        -9, -9, -5,          //
        -5, 0, -5},
       {}},
      {"pred_boxes",
       {1, 4, 4},
       {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 1, 1, 0.25F, 0.25F, 0.5F, 0.5F, 0.5F, 0.5F, 0, 0},
       {}}};
  return model;
}

TEST(Heads, TakeTheLogitsOfTransformersDetrs) {
  ModelSpec model = logits_model();
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::detr_logits);
  EXPECT_EQ(detector.description().preprocessing.fit, Fit::stretch);
  const auto found = detector.detect(white({200, 100})).detections;
  ASSERT_EQ(found.size(), 3U);
  expect_box(found[0], 0, 0.9F, {50, 25, 100, 50});
  expect_box(found[1], 2, 0.62246F, {50, 25, 100, 50});
  expect_box(found[2], 1, 0.5F, {0, 0, 100, 50});

  // No more than there are queries.
  model.outputs[0].values.assign(12, 1);
  model.outputs[1].values = {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 1,    1,
                             0.2F, 0.2F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F};
  Detector crowded = make(model);
  EXPECT_EQ(crowded.detect(white({200, 100})).detections.size(), 4U);

  // RF-DETR's names and order.
  std::swap(model.outputs[0], model.outputs[1]);
  model.outputs[0].name = "dets";
  model.outputs[1].name = "labels";
  EXPECT_EQ(make(model).description().head, HeadKind::detr_logits);
}

TEST(Heads, TakeAnotherLogitThanThereAreNamesForNothing) {
  ModelSpec model = logits_model();
  model.metadata = {{"names", "['a', 'b']"}};
  Detector detector = make(model);
  const auto& found = detector.detect(white({200, 100})).detections;
  ASSERT_EQ(found.size(), 2U);
  // Of the softmax over (2.1972, -5, 0.5) and (-5, 0, -5).
  expect_box(found[0], 1, 0.98670F, {0, 0, 100, 50});
  expect_box(found[1], 0, 0.84467F, {50, 25, 100, 50});
  EXPECT_EQ(detector.description().labels.size(), 2U);
}

TEST(Heads, GiveTheBestClassesOfAClassifier) {
  ModelSpec model;
  model.outputs = {{"output0", {1, 3}, {0.2F, 0.7F, 0.1F}, {}}};
  model.metadata = {{"task", "classify"}, {"names", "{0: 'a', 1: 'b', 2: 'c'}"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().task, "classify");
  DetectionOptions options;
  options.max_classes = 2;
  const auto& classes = detector.detect(white({64, 32}), options).classes;
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[0].class_id, 1);
  EXPECT_NEAR(classes[0].confidence, 0.7, 1e-4);
  EXPECT_EQ(classes[1].class_id, 0);
}

TEST(Heads, MakeProbabilitiesOfLogits) {
  ModelSpec model;
  model.outputs = {{"output0", {1, 2}, {std::log(3.0F), 0}, {}}};
  model.metadata = {{"task", "classify"}};
  Detector detector = make(model);
  const auto& classes = detector.detect(white({32, 32})).classes;
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_NEAR(classes[0].confidence, 0.75, 1e-4);
  EXPECT_NEAR(classes[1].confidence, 0.25, 1e-4);
}

TEST(Heads, CutAMaskOutOfThePrototypes) {
  ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  // 64x64: 84 anchors, prototypes 16x16. One box from (16, 16) to (48, 32); its mask is the left
  // half of the input, where prototype 0 is 1 (elsewhere -1).
  OutputSpec rows{"output0", {1, 37, 84}, std::vector<float>(37 * 84), {}};
  const std::vector<float> box{32, 24, 32, 16, 0.9F, 1};
  for (std::size_t c = 0; c < box.size(); ++c) rows.values[c * 84 + 7] = box[c];
  OutputSpec maps{"output1", {1, 32, 16, 16}, std::vector<float>(32 * 256), {}};
  for (std::size_t y = 0; y < 16; ++y) {
    for (std::size_t x = 0; x < 16; ++x) maps.values[y * 16 + x] = x < 8 ? 1.0F : -1.0F;
  }
  model.outputs = {rows, maps};
  model.metadata = {{"task", "segment"}, {"names", "{0: 'a'}"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().task, "segment");
  const auto& result = detector.detect(white({64, 64}));
  ASSERT_EQ(result.detections.size(), 1U);
  expect_box(result.detections[0], 0, 0.9F, {16, 16, 32, 16});
  ASSERT_EQ(result.masks.size(), 1U);
  EXPECT_EQ(result.masks[0].size, (Size{64, 64}));
  // Columns 16 to 31, rows 16 to 31.
  std::vector<std::uint32_t> expected{16 * 64 + 16};
  for (int column = 16; column < 32; ++column) {
    expected.push_back(16);
    expected.push_back(48);
  }
  expected.back() += 32 * 64 - 16;
  EXPECT_EQ(result.masks[0].counts, expected);
}

TEST(Heads, CutMasksForBoxesThatTheModelPicked) {
  ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  OutputSpec rows{"output0", {1, 300, 38}, std::vector<float>(300 * 38), {}};
  const std::vector<float> left{16, 16, 48, 32, 0.9F, 1, 1};    // weight 1 of prototype 0
  const std::vector<float> empty{40, 16, 48, 32, 0.8F, 0, 1};   // all of it outside
  const std::vector<float> other{40, 40, 48, 48, 0.7F, 0, -1};  // all of it inside
  std::copy(left.begin(), left.end(), rows.values.begin());
  std::copy(empty.begin(), empty.end(), rows.values.begin() + 38);
  std::copy(other.begin(), other.end(), rows.values.begin() + 76);
  OutputSpec maps{"output1", {1, 32, 16, 16}, std::vector<float>(32 * 256), {}};
  for (std::size_t y = 0; y < 16; ++y) {
    for (std::size_t x = 0; x < 16; ++x) maps.values[y * 16 + x] = x < 8 ? 1.0F : -1.0F;
  }
  model.outputs = {rows, maps};
  model.metadata = {{"task", "segment"}, {"names", "{0: 'a', 1: 'b'}"}, {"end2end", "True"}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().head, HeadKind::end_to_end_seg);
  EXPECT_EQ(detector.description().task, "segment");
  const auto& result = detector.detect(white({64, 64}));
  ASSERT_EQ(result.detections.size(), 2U);  // a box without a pixel of its mask is none
  expect_box(result.detections[0], 1, 0.9F, {16, 16, 32, 16});
  expect_box(result.detections[1], 0, 0.7F, {40, 40, 8, 8});
  ASSERT_EQ(result.masks.size(), 2U);
  EXPECT_EQ(result.masks[0].counts.at(0), 16U * 64 + 16);
  EXPECT_EQ(result.masks[0].counts.size(), 2U * 16 + 1);
  EXPECT_EQ(result.masks[1].counts.at(0), 40U * 64 + 40);
  EXPECT_EQ(result.masks[1].counts.at(1), 8U);
}

TEST(Heads, GiveTheScoreAndTheMapOfAnAnomaly) {
  ModelSpec model;
  model.outputs = {{"pred_score", {1, 1}, {0.6F}, {}},
                   {"anomaly_map", {1, 1, 2, 3}, {0, 0.1F, 0.2F, 0.3F, 0.9F, 0.5F}, {}}};
  Detector detector = make(model);
  EXPECT_EQ(detector.description().task, "anomaly");
  const auto& result = detector.detect(white({64, 32}));
  ASSERT_TRUE(result.anomaly.has_value());
  EXPECT_NEAR(result.anomaly->score, 0.6, 1e-4);
  EXPECT_EQ(result.anomaly->map_size, (Size{3, 2}));
  EXPECT_NEAR(result.anomaly->map[4], 0.9, 1e-4);
  model.outputs.erase(model.outputs.begin());
  Detector without_score = make(model);
  EXPECT_NEAR(without_score.detect(white({64, 32})).anomaly->score, 0.9, 1e-4);
}

TEST(Heads, CutTheMapOfAnAnomalyToThePicture) {
  ModelSpec model;
  std::vector<float> values(16);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  model.outputs = {{"anomaly_map", {1, 1, 4, 4}, values, {}}};
  // 64x32 in an input of 32x32: a quarter of padding above and below; without a score of its own
  // the model is not believed what it saw there.
  vision::ModelSpec said;
  said.fit = Fit::letterbox;
  said.divisor = 255;
  Detector letterboxed = make(model, said);
  const Anomaly wide = *letterboxed.detect(white({64, 32})).anomaly;
  EXPECT_EQ(wide.map_size, (Size{4, 2}));
  ASSERT_EQ(wide.map.size(), 8U);
  EXPECT_NEAR(wide.map.back() / wide.map.front(), 11.0 / 4, 1e-4);
  EXPECT_EQ(wide.score, wide.map.back());
  const auto expect_map_box = [](const Anomaly& anomaly, const Box& box) {
    EXPECT_FLOAT_EQ(anomaly.map_box.x, box.x);
    EXPECT_FLOAT_EQ(anomaly.map_box.y, box.y);
    EXPECT_FLOAT_EQ(anomaly.map_box.width, box.width);
    EXPECT_FLOAT_EQ(anomaly.map_box.height, box.height);
  };
  expect_map_box(wide, {0, 0, 64, 32});
  // Padding of 7 pixels is a little less than a cell of 8: the map begins a pixel inside.
  expect_map_box(*letterboxed.detect(white({64, 36})).anomaly, {0, 2, 64, 32});
  said.fit = Fit::centre_crop;
  Detector cropped = make(model, said);
  const Anomaly middle = *cropped.detect(white({64, 32})).anomaly;
  EXPECT_EQ(middle.map_size, (Size{4, 4}));
  expect_map_box(middle, {16, 0, 32, 32});
}

TEST(Heads, RefuseAnAnomalyScoreThatIsNoNumber) {
  ModelSpec model;
  model.outputs = {{"pred_score", {1, 1}, {std::nanf("")}, {}}};
  try {
    Detector detector = make(model);
    (void)detector.detect(white({32, 32}));
    ADD_FAILURE() << "gave a score";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
  }
}

TEST(Heads, AreWhatIsSaidBesideTheModel) {
  ModelSpec model;
  model.outputs = {{"scores", {1, 3}, {0.2F, 0.7F, 0.1F}, {}}};
  vision::ModelSpec said;
  said.head = HeadKind::classifier;
  said.labels = {"good", "bad", "ugly"};
  Detector detector = make(model, said);
  EXPECT_EQ(detector.label(1), "bad");
  EXPECT_FLOAT_EQ(detector.description().preprocessing.mean[0], 0.485F);
  EXPECT_EQ(detector.description().preprocessing.resample, Preprocessing::Resample::bilinear);
  said.resize = 40;
  EXPECT_EQ(make(model, said).description().preprocessing.resize, 40);
  said.resize = 16;  // the input is 32x32
  EXPECT_THROW((void)make(model, said), base::Error);
  said.resize.reset();
  said.labels.pop_back();
  EXPECT_THROW((void)make(model, said), base::Error);
  said.labels.clear();
  said.head = HeadKind::yolov8;
  EXPECT_THROW((void)make(model, said), base::Error);
}

TEST(Heads, AreKnownByTheirNames) {
  for (int i = 0; i <= static_cast<int>(HeadKind::anomaly); ++i) {
    const auto kind = static_cast<HeadKind>(i);
    EXPECT_EQ(head_kind(to_string(kind)), kind);
  }
  EXPECT_FALSE(head_kind("yolov4").has_value());
}

}  // namespace
}  // namespace andon::vision
