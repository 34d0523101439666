// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/detector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error/error.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Image plain_picture(Size size, std::uint8_t value) {
  Image image{size, {}};
  image.rgb.assign(image.row_bytes() * static_cast<std::size_t>(size.height), value);
  return image;
}

using tiny_onnx::one_box;

std::string refusal(const tiny_onnx::DetectorSpec& spec) {
  try {
    const Detector detector(test_runtime(), tiny_onnx::detector(spec), "tiny.onnx");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument) << error.message();
    return error.message();
  }
  return "accepted";
}

TEST(OnnxRuntime, SaysItsVersionAndPlace) {
  EXPECT_THAT(test_runtime().version(), testing::StartsWith("1."));
  EXPECT_FALSE(test_runtime().path().empty());
}

TEST(OnnxRuntime, ThatIsAbsentIsReportedWithWhereItWasLookedFor) {
  try {
    const OnnxRuntime absent("/nonexistent/libonnxruntime.so.1");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("ONNXRUNTIME_ROOT"),
                                       HasSubstr("/nonexistent/libonnxruntime.so.1: not there")));
  }
}

TEST(Session, ReadsTensorsAndMetadata) {
  tiny_onnx::DetectorSpec spec;
  spec.input_shape = {1, 3, -1, 48};
  const Session session(test_runtime(), tiny_onnx::detector(spec), "tiny.onnx");
  ASSERT_EQ(session.inputs().size(), 1U);
  EXPECT_EQ(to_string(session.inputs()[0]), "images float32 [1,3,?,48]");
  ASSERT_EQ(session.outputs().size(), 1U);
  EXPECT_EQ(to_string(session.outputs()[0]), "output0 float32 [1,5,21]");
  EXPECT_THAT(session.metadata(), testing::Contains(testing::Pair("names", "{0: 'scratch'}")));
}

TEST(Session, RefusesBytesThatAreNotAModel) {
  for (const std::string_view bytes : {"", "this is not a model", "\x08\x07garbage"}) {
    try {
      const Session session(test_runtime(), bytes, "broken.onnx");
      ADD_FAILURE() << "accepted " << bytes;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr("broken.onnx: ONNX Runtime cannot load it"));
    }
  }
}

TEST(Session, RefusesATruncatedModel) {
  const std::string whole = tiny_onnx::detector({});
  EXPECT_THROW(
      Session(test_runtime(), std::string_view(whole).substr(0, whole.size() / 2), "cut.onnx"),
      base::Error);
}

TEST(Session, RunsAgainAndAgainOnTheSameMemory) {
  Session session(test_runtime(), tiny_onnx::detector(one_box()), "tiny.onnx");
  const std::span<float> input = session.bind_input({1, 3, 32, 32});
  std::fill(input.begin(), input.end(), 1.0F);
  const Session::Output& output = session.run().front();
  EXPECT_THAT(output.shape, ElementsAre(1, 5, 21));
  ASSERT_EQ(output.values.size(), 105U);
  EXPECT_NEAR(output.values[84], 0.8F, 1e-5);
  const float* memory = output.values.data();
  std::fill(input.begin(), input.end(), 0.5F);
  EXPECT_EQ(session.run().front().values.data(), memory);
  EXPECT_NEAR(output.values[84], 0.4F, 1e-5);
}

TEST(Detector, FindsTheBoxAndMapsItBack) {
  Detector detector(test_runtime(), tiny_onnx::detector(one_box()), "tiny.onnx");
  EXPECT_EQ(detector.description().input, (Size{32, 32}));
  EXPECT_EQ(detector.description().anchors, 21U);
  EXPECT_EQ(detector.label(0), "scratch");
  EXPECT_EQ(detector.label(3), "class 3");
  const auto result = detector.detect(plain_picture({320, 320}, 255));
  ASSERT_EQ(result.detections.size(), 1U);
  EXPECT_NEAR(result.detections[0].confidence, 0.8F, 1e-5);
  EXPECT_NEAR(result.detections[0].box.x, 120, 0.01);
  EXPECT_NEAR(result.detections[0].box.y, 140, 0.01);
  EXPECT_NEAR(result.detections[0].box.width, 80, 0.01);
  EXPECT_NEAR(result.detections[0].box.height, 40, 0.01);
  EXPECT_GT(result.inference.count(), 0);
  EXPECT_TRUE(detector.detect(plain_picture({320, 320}, 0)).detections.empty());
}

TEST(Detector, TakesNoMoreMemoryOfTheSystemAfterTheFirstPictures) {
  Detector detector(test_runtime(), tiny_onnx::detector(one_box()), "tiny.onnx");
  const Image picture = plain_picture({64, 64}, 200);
  (void)detector.detect(picture);
  (void)detector.detect(picture);
  const auto before = test_runtime().memory();
  for (int i = 0; i < 50; ++i) (void)detector.detect(picture);
  EXPECT_EQ(test_runtime().memory().taken_from_system, before.taken_from_system);
  EXPECT_EQ(test_runtime().memory().bytes_in_use, before.bytes_in_use);
  detector.release_unused_memory();
  EXPECT_EQ(test_runtime().memory().bytes_kept, 0U);
  EXPECT_EQ(detector.detect(picture).detections.size(), 1U);
}

TEST(Detector, TakesTheSizeOfADynamicInputFromOptionsOrMetadata) {
  tiny_onnx::DetectorSpec spec = one_box();
  spec.input_shape = {-1, 3, -1, -1};
  spec.declares_output_shape = false;
  spec.metadata["imgsz"] = "[64, 96]";
  const std::string model = tiny_onnx::detector(spec);
  EXPECT_EQ(Detector(test_runtime(), model, "tiny.onnx").description().input, (Size{96, 64}));
  DetectorOptions options;
  options.input_size = Size{128, 32};
  EXPECT_EQ(Detector(test_runtime(), model, "tiny.onnx", options).description().input,
            (Size{128, 32}));
}

TEST(Detector, NamesClassesItselfWhereTheModelDoesNot) {
  tiny_onnx::DetectorSpec spec;
  spec.output_shape = {1, 6, 21};
  spec.metadata.clear();
  const Detector detector(test_runtime(), tiny_onnx::detector(spec), "tiny.onnx");
  EXPECT_THAT(detector.description().labels, ElementsAre("class 0", "class 1"));
}

TEST(Detector, RefusesWhatItDoesNotUnderstandAndSaysWhatItFound) {
  tiny_onnx::DetectorSpec spec;
  spec.input_shape = {1, 1, 32, 32};
  EXPECT_THAT(refusal(spec), AllOf(HasSubstr("tiny.onnx is not a model that andon understands"),
                                   HasSubstr("input  images float32 [1,1,32,32]"),
                                   HasSubstr("Understood: a first input float32")));
  spec = {};
  spec.input_type = tiny_onnx::kUint8;
  EXPECT_THAT(refusal(spec), HasSubstr("images uint8 [1,3,32,32]"));
  spec = {};
  spec.output_shape = {1, 2100, 5};
  EXPECT_THAT(refusal(spec), HasSubstr("the two may be swapped"));
  spec = {};
  spec.output_shape = {1, 4, 21};
  EXPECT_THAT(refusal(spec), HasSubstr("4 channels are not 4 and a score for each class"));
  spec = {};
  spec.output_shape = {105};
  EXPECT_THAT(refusal(spec), HasSubstr("none of its outputs has a shape that is understood"));
  spec = {};
  spec.metadata["names"] = "{0: 'a', 1: 'b'}";
  EXPECT_THAT(refusal(spec), HasSubstr("has 1 classes, but 2 are named"));
  spec = {};
  spec.metadata["names"] = "{0: broken";
  EXPECT_THAT(refusal(spec), HasSubstr("tiny.onnx: cannot read the model's class names"));
  spec = {};
  spec.metadata["task"] = "pose";
  EXPECT_THAT(refusal(spec), HasSubstr("have no kpt_shape; say `keypoints: [how many"));
  spec.metadata["task"] = "depth";
  EXPECT_THAT(refusal(spec), HasSubstr("its task is 'depth'"));
  spec = {};
  spec.input_shape = {1, 3, -1, -1};
  spec.metadata["imgsz"] = "32 by 32";
  EXPECT_THAT(refusal(spec), HasSubstr("tiny.onnx: cannot read the model's image size"));
  spec = {};
  spec.declares_output_shape = false;
  spec.output_shape = {1, 7, 21};
  EXPECT_THAT(refusal(spec), HasSubstr("has 3 classes, but 1 are named"));
}

tiny_onnx::ModelSpec batch_model() {
  tiny_onnx::ModelSpec model;
  model.has_batch = true;
  model.input_shape = {-1, 3, 32, 32};
  model.outputs = {{"output0", {1, 5, 21}, one_box().values, {}}};
  return model;
}

TEST(Detector, LooksAtABatchInOneRun) {
  Detector detector(test_runtime(), tiny_onnx::model(batch_model()), "tiny.onnx");
  EXPECT_EQ(detector.description().max_batch, 8U);
  const Image white = plain_picture({32, 32}, 255);
  const Image black = plain_picture({32, 32}, 0);
  const Image wide = plain_picture({64, 32}, 255);
  const Image* const pictures[] = {&white, &black, &wide};
  const auto results = detector.detect(pictures);
  ASSERT_EQ(results.size(), 3U);
  ASSERT_EQ(results[0].detections.size(), 1U);
  EXPECT_NEAR(results[0].detections[0].box.x, 12, 0.01);
  EXPECT_TRUE(results[1].detections.empty());
  ASSERT_EQ(results[2].detections.size(), 1U);  // half of it is grey
  EXPECT_NEAR(results[2].detections[0].confidence, 0.8 * (0.5 + 0.5 * 114 / 255), 1e-4);
  // A batch of another size, and one picture, on the same detector.
  EXPECT_EQ(detector.detect(std::span(pictures).first(2)).size(), 2U);
  EXPECT_EQ(detector.detect(white).detections.size(), 1U);
  const std::vector<const Image*> too_many(9, &white);
  EXPECT_THROW((void)detector.detect(too_many), base::Error);
  EXPECT_THROW((void)detector.detect(std::span<const Image* const>()), base::Error);
}

TEST(Detector, HasSiblingsThatShareItsModelAcrossThreads) {
  const Detector first(test_runtime(), tiny_onnx::detector(one_box()), "tiny.onnx");
  const Image picture = plain_picture({64, 48}, 200);
  std::vector<std::size_t> found(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t& count : found) {
      threads.emplace_back([&count, &picture, sibling = first.sibling()]() mutable {
        for (int i = 0; i < 50; ++i) count += sibling.detect(picture).detections.size();
      });
    }
  }
  EXPECT_THAT(found, testing::Each(50U));
}

TEST(Detector, FollowsTheShapeOfThePictureWhereTheInputIsFree) {
  tiny_onnx::DetectorSpec spec = one_box();
  spec.input_shape = {1, 3, -1, -1};
  spec.metadata["imgsz"] = "[64, 64]";
  Detector detector(test_runtime(), tiny_onnx::detector(spec), "tiny.onnx");
  EXPECT_TRUE(detector.description().follows_picture);
  // In a 64x32 input nothing is padded, so that the mean is 1.
  const auto& wide = detector.detect(plain_picture({128, 64}, 255)).detections;
  ASSERT_EQ(wide.size(), 1U);
  EXPECT_NEAR(wide[0].confidence, 0.8F, 1e-5);
  EXPECT_NEAR(wide[0].box.x, 24, 0.01);
  EXPECT_NEAR(wide[0].box.y, 28, 0.01);
  const auto& tall = detector.detect(plain_picture({32, 64}, 255)).detections;
  ASSERT_EQ(tall.size(), 1U);
  EXPECT_NEAR(tall[0].box.y, 14, 0.01);
  DetectorOptions options;
  options.input_size = Size{64, 64};
  Detector fixed(test_runtime(), tiny_onnx::detector(spec), "tiny.onnx", options);
  EXPECT_FALSE(fixed.description().follows_picture);
  EXPECT_LT(fixed.detect(plain_picture({128, 90}, 255)).detections.at(0).confidence, 0.7F);
}

TEST(Detector, FallsBackToTheCpuAndSaysWhy) {
  EXPECT_THAT(test_runtime().providers(), testing::Contains("CPUExecutionProvider"));
  DetectorOptions options;
  options.session.providers = {"NoSuchExecutionProvider"};
  Detector detector(test_runtime(), tiny_onnx::detector(one_box()), "tiny.onnx", options);
  EXPECT_EQ(detector.description().provider, "CPU");
  EXPECT_THAT(detector.passed_over_providers(),
              ElementsAre(AllOf(HasSubstr("NoSuch"), HasSubstr("it has "),
                                HasSubstr("CPUExecutionProvider"))));
  EXPECT_EQ(detector.detect(plain_picture({32, 32}, 255)).detections.size(), 1U);
}

}  // namespace
}  // namespace andon::vision
