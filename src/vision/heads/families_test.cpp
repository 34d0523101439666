// SPDX-License-Identifier: Apache-2.0
// What a model is taken for, and what proves it. The files are small ones like those that people
// reported (tests/data/models).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "vision/detect/detector.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tiny_onnx::OutputSpec;

Image white(Size size) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), 255);
  return image;
}

Detector of_file(const char* name, const ModelSpec& said = {}) {
  DetectorOptions options;
  options.spec = said;
  const auto path = base::fs::path(ANDON_SOURCE_DIR) / "tests/data/models" / name;
  return Detector(test_runtime(), base::read_file(path), name, options);
}

struct Built {
  tiny_onnx::ModelSpec model;
  ModelSpec said;
  [[nodiscard]] Detector open() const {
    DetectorOptions options;
    options.spec = said;
    return Detector(test_runtime(), tiny_onnx::model(model), "tiny.onnx", options);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      return std::string("taken for ") + std::string(to_string(open().description().head));
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      return error.message();
    }
  }
};

// Of an input of 64x64, whose grids have 64, 16 and 4 cells.
Built with_output(const std::vector<std::int64_t>& shape,
                  const std::map<std::string, std::string>& metadata = {}) {
  Built built;
  built.model.input_shape = {1, 3, 64, 64};
  built.model.outputs = {{"output0", shape, {}, {}}};
  built.model.metadata = metadata;
  return built;
}

TEST(Families, TakeSuppressedBoxesForThemHoweverFewThereAre) {
  for (const char* name : {"nms-maxdet1-1class.onnx", "nms-maxdet6-2class.onnx"}) {
    Detector detector = of_file(name);
    EXPECT_EQ(detector.description().head, HeadKind::end_to_end) << name;
    EXPECT_THAT(detector.description().why, HasSubstr("nms in args"));
    const auto& found = detector.detect(white({64, 64})).detections;
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_NEAR(found[0].box.x, 20, 0.01);
    EXPECT_NEAR(found[0].box.width, 20, 0.01);
  }
}

TEST(Families, TakeYolov7EndToEndForWhatItIs) {
  Detector detector = of_file("yolov7-end2end-Nx7.onnx");
  EXPECT_EQ(detector.description().head, HeadKind::yolov7_end_to_end);
  EXPECT_THAT(detector.description().why, HasSubstr("2 rows of 7 values for 1 picture(s)"));
  const auto& found = detector.detect(white({128, 128})).detections;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].class_id, 1);
  EXPECT_NEAR(found[0].confidence, 0.9, 1e-4);
  EXPECT_NEAR(found[0].box.x, 40, 0.01);
  EXPECT_NEAR(found[0].box.height, 40, 0.01);
  EXPECT_EQ(found[1].class_id, 0);
  EXPECT_EQ(detector.label(1), "class 1");
}

TEST(Families, CountTheCellsOfMoreGridsThanThree) {
  Detector detector = of_file("yolov5-p6.onnx");
  EXPECT_EQ(detector.description().head, HeadKind::yolov5);
  EXPECT_THAT(detector.description().why, HasSubstr("255 rows, 3 for each cell over strides of 8 "
                                                    "to 64 of an input of 64x64"));
  const auto& found = detector.detect(white({64, 64})).detections;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].class_id, 1);
  EXPECT_NEAR(found[0].confidence, 0.9 * 0.95, 1e-4);
  EXPECT_THAT(with_output({1, 6, 85}).open().description().why, HasSubstr("8, 16, 32 and 64"));
  EXPECT_THAT(with_output({1, 6, 340}).open().description().why, HasSubstr("4, 8, 16 and 32"));
}

TEST(Families, RefuseWhatMayBeReadInTwoWaysAndNameBoth) {
  // Six boxes of six values, or two classes at six anchors that are no grid's.
  Built six = with_output({1, 6, 6}, {{"names", "['a', 'b']"}});
  EXPECT_THAT(six.refusal(),
              AllOf(HasSubstr("it may be read in several ways: as yolov8 ("),
                    HasSubstr("or as end_to_end ("),
                    HasSubstr("say `head: yolov8` or `head: end_to_end` in a YAML file beside")));
  six.said.head = HeadKind::end_to_end;
  EXPECT_EQ(six.open().description().head, HeadKind::end_to_end);
  EXPECT_EQ(six.open().description().why, "its description says so");
  six.said = {};
  six.model.metadata["end2end"] = "True";
  EXPECT_EQ(six.open().description().head, HeadKind::end_to_end);
  six.model.metadata["end2end"] = "False";
  EXPECT_EQ(six.open().description().head, HeadKind::yolov8);
}

TEST(Families, TakeNothingBecauseNothingElseFits) {
  // Channels by anchors, but of no grid and with no names.
  EXPECT_THAT(with_output({1, 5, 50}).refusal(),
              AllOf(HasSubstr("nothing proves what it is; it may be read as yolov8 (with 1"),
                    HasSubstr("say `head: yolov8`")));
  EXPECT_EQ(with_output({1, 6, 50}, {{"names", "['a', 'b']"}}).open().description().head,
            HeadKind::yolov8);
  EXPECT_THAT(with_output({1, 6, 84}, {{"names", "['a']"}}).refusal(),
              AllOf(HasSubstr("may be read as yolov8_obb (with 1"), HasSubstr("yolov8_obb`")));
  EXPECT_THAT(with_output({1, 84, 5}, {{"names", "['a']"}}).refusal(),
              HasSubstr("the two may be swapped"));
  // Rows for each picture or not.
  EXPECT_EQ(with_output({1, 3}).open().description().head, HeadKind::classifier);
  EXPECT_THAT(with_output({2, 3}).refusal(),
              HasSubstr("not classifier: its output has 2 rows for 1 picture(s)"));
  EXPECT_EQ(with_output({1, 7}, {{"task", "classify"}}).open().description().head,
            HeadKind::classifier);
}

TEST(Families, TakeTwoOutputsForADetrsOnlyWhereTheyCanBe) {
  Built two = with_output({1, 100, 7});
  two.model.outputs.push_back({"output1", {1, 100, 4}, {}, {}});
  EXPECT_EQ(two.open().description().head, HeadKind::detr_logits);
  // As YOLO-NAS has them: a row for each cell.
  two.model.outputs = {{"output0", {1, 1344, 4}, {}, {}}, {"output1", {1, 1344, 80}, {}, {}}};
  EXPECT_THAT(two.refusal(), HasSubstr("1344 rows are more than a DETR has queries"));
}

// Values that are there whatever the picture: the model gives them on an empty one, too.
tiny_onnx::ModelSpec constant(const std::vector<std::int64_t>& shape,
                              const std::vector<float>& values) {
  tiny_onnx::ModelSpec model;
  model.input_shape = {1, 3, 64, 64};
  model.outputs = {{"output0", shape, values, {}}};
  model.is_constant = true;
  return model;
}

TEST(Families, TellYoloxBoxesInPixelsAndYolov6ByTheirValues) {
  std::vector<float> rows(84 * 6);
  for (std::size_t i = 0; i < 84; ++i) {
    rows[i * 6] = rows[i * 6 + 1] = 0.5F;  // the middle of each cell
    rows[i * 6 + 4] = rows[i * 6 + 5] = i == 63 ? 0.9F : 0.1F;
  }
  Built built;
  built.model = constant({1, 84, 6}, rows);
  Detector in_cells = built.open();
  EXPECT_EQ(in_cells.description().head, HeadKind::yolox);
  const auto& first = in_cells.detect(white({64, 64})).detections;
  ASSERT_EQ(first.size(), 1U);
  EXPECT_NEAR(first[0].box.x, 56, 0.01);  // cell (7, 7), a stride wide
  EXPECT_NEAR(first[0].box.width, 8, 0.01);
  for (std::size_t i = 0; i < 84; ++i) {
    rows[i * 6] = static_cast<float>(i % 8) * 8 + 4;
    rows[i * 6 + 1] = static_cast<float>(i % 64) + 1;
    rows[i * 6 + 2] = rows[i * 6 + 3] = 2;
  }
  built.model = constant({1, 84, 6}, rows);
  Detector decoded = built.open();
  EXPECT_THAT(decoded.description().why, HasSubstr("in pixels of the input already"));
  const auto& second = decoded.detect(white({64, 64})).detections;
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NEAR(second[0].box.x, 59, 0.01);
  for (std::size_t i = 0; i < 84; ++i) rows[i * 6 + 4] = 1;
  built.model = constant({1, 84, 6}, rows);
  EXPECT_THAT(built.refusal(), HasSubstr("1 everywhere, as YOLOv6 has it"));
  built.said.head = HeadKind::yolox;
  EXPECT_EQ(built.open().description().head, HeadKind::yolox);
}

TEST(Families, LookAtValuesWhereShapesAreTheSame) {
  Built built;
  // The last value of the first is a class, that of the second a share.
  built.model = constant({1, 2, 6}, {4, 4, 12, 12, 0.9F, 1, 4, 4, 12, 12, 0.8F, 0});
  EXPECT_EQ(built.open().description().head, HeadKind::end_to_end);
  built.model = constant({1, 2, 6}, {0.5F, 0.5F, 0.2F, 0.2F, 0.1F, 0.75F,  //
                                     0.3F, 0.3F, 0.2F, 0.2F, 0.1F, 0.25F});
  EXPECT_THAT(built.refusal(), HasSubstr("may be read as rtdetr"));
  built.model.metadata["names"] = "['a', 'b']";
  EXPECT_EQ(built.open().description().head, HeadKind::rtdetr);
  // 64 bins of a box and 4 classes, or 64 classes: scores tell.
  std::vector<float> planes(68 * 84, 0.5F);
  built.model = constant({1, 68, 84}, planes);
  EXPECT_EQ(built.open().description().head, HeadKind::yolov8);
  for (std::size_t i = 64 * 84; i < planes.size(); ++i) planes[i] = -4;
  built.model = constant({1, 68, 84}, planes);
  EXPECT_EQ(built.open().description().head, HeadKind::yolov8_dfl);
}

}  // namespace
}  // namespace andon::vision
