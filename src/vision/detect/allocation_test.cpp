// SPDX-License-Identifier: Apache-2.0
// Counts what is allocated on the hot path.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/testing/allocations.hpp"
#include "vision/detect/detector.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using base::allocations;

Image picture(Size size) {
  Image image{size, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(size.height), 255);
  return image;
}

// All 21 anchors see something, most of them the same thing.
std::string busy_model() {
  tiny_onnx::DetectorSpec spec;
  for (const float value : {16.0F, 16.0F, 8.0F, 8.0F, 0.9F}) {
    for (int i = 0; i < 21; ++i) {
      spec.values.push_back(value == 16.0F ? static_cast<float>(8 + 4 * (i % 5)) : value);
    }
  }
  return tiny_onnx::detector(spec);
}

// What a call allocates, and how many of the calls allocated something else.
struct PerCall {
  std::size_t usual = 0;
  int others = 0;
};

template <typename Call>
PerCall count_calls(int calls, const Call& call) {
  std::map<std::size_t, int> by_number;
  for (int i = 0; i < calls; ++i) {
    const std::size_t before = allocations;
    (void)call();
    ++by_number[allocations - before];
  }
  const auto usual =
      std::ranges::max_element(by_number, {}, [](const auto& one) { return one.second; });
  return {usual->first, calls - usual->second};
}

// ONNX Runtime allocates in its own way in a run, which is measured alone and taken off. On a busy
// machine one run of a thousand allocates once more, on this thread, within ONNX Runtime's Run.
// What is ours would be there in each frame, or, where something grows by and by, in more than a
// few.
template <typename Run, typename Frame>
void expect_nothing_of_its_own(int frames, const Run& run, const Frame& frame) {
  const PerCall of_the_runtime = count_calls(frames, run);
  const PerCall of_a_frame = count_calls(frames, frame);
  EXPECT_EQ(of_a_frame.usual, of_the_runtime.usual);
  EXPECT_LE(of_a_frame.others, of_the_runtime.others + frames / 100);
}

TEST(HotPath, AllocatesNothingOfItsOwnAfterTheFirstFrames) {
  const std::string model = busy_model();
  Session session(test_runtime(), model, "tiny.onnx");
  const std::span<float> input = session.bind_input({1, 3, 32, 32});
  std::fill(input.begin(), input.end(), 1.0F);
  Detector detector(test_runtime(), model, "tiny.onnx");
  ImageDecoder decoder;
  const std::string jpeg = encode_jpeg(picture({320, 200}));
  const auto frame = [&] {
    return detector.detect(decoder.decode(jpeg, "frame.jpg")).detections.size();
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_GT(frame(), 1U);
    (void)session.run();
  }
  expect_nothing_of_its_own(
      1000, [&] { return session.run(); }, frame);
}

// The same model as a device graph that takes pixels as bytes.
TEST(HotPath, AllocatesNothingOfItsOwnWithADeviceGraph) {
  tiny_onnx::DetectorSpec spec = tiny_onnx::one_box();
  ModelFile file = model_in_memory(tiny_onnx::detector(spec), "tiny.onnx");
  spec.input_type = tiny_onnx::kUint8;
  spec.input_shape = {1, 16, 16, 12};
  for (float& value : spec.values) value /= 255;
  file.device_graph = tiny_onnx::detector(spec);
  Session session(test_runtime(), file.device_graph, "tiny.onnx");
  const std::span<std::uint8_t> input = session.bind_bytes({1, 16, 16, 12});
  std::fill(input.begin(), input.end(), 255);
  Detector detector(test_runtime(), file);
  ASSERT_TRUE(detector.description().has_device_graph);
  EXPECT_EQ(detector.description().input, (Size{32, 32}));
  ImageDecoder decoder;
  const std::string jpeg = encode_jpeg(picture({64, 64}));
  const auto frame = [&] {
    return detector.detect(decoder.decode(jpeg, "frame.jpg")).detections.size();
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(frame(), 1U);
    (void)session.run();
  }
  expect_nothing_of_its_own(
      1000, [&] { return session.run(); }, frame);
}

// Keypoints and turned boxes keep their memory, too.
TEST(HotPath, AllocatesNothingForKeypointsAndTurnedBoxes) {
  tiny_onnx::ModelSpec pose;
  pose.outputs = {{"output0", {1, 11, 21}, std::vector<float>(11 * 21, 0.9F), {}}};
  pose.metadata = {{"task", "pose"}, {"names", "['a']"}, {"kpt_shape", "[2, 3]"}};
  tiny_onnx::ModelSpec rotated;
  rotated.outputs = {{"output0", {1, 6, 21}, std::vector<float>(6 * 21, 0.9F), {}}};
  rotated.metadata = {{"task", "obb"}, {"names", "['a']"}};
  for (const tiny_onnx::ModelSpec& spec : {pose, rotated}) {
    const std::string model = tiny_onnx::model(spec);
    Session session(test_runtime(), model, "tiny.onnx");
    std::ranges::fill(session.bind_input({1, 3, 32, 32}), 1.0F);
    Detector detector(test_runtime(), model, "tiny.onnx");
    const Image white = picture({64, 64});
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(detector.detect(white).detections.size(), 1U);
      (void)session.run();
    }
    expect_nothing_of_its_own(
        100, [&] { return session.run(); }, [&] { return &detector.detect(white); });
  }
}

TEST(HotPath, IsCounted) {
  const std::size_t before = allocations;
  const std::vector<int> something(7);
  EXPECT_EQ(allocations, before + 1) << something.size();
}

}  // namespace
}  // namespace andon::vision
