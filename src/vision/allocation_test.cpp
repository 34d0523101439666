// SPDX-License-Identifier: Apache-2.0
// Counts what is allocated on the hot path.
#include <gtest/gtest.h>

#include "base/test_allocations.hpp"
#include "vision/annotate.hpp"
#include "vision/decode.hpp"
#include "vision/detector.hpp"
#include "vision/test_runtime.hpp"
#include "vision/tiny_onnx.hpp"

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

// ONNX Runtime allocates in its own way in a run, which is measured alone and taken off.
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
  constexpr int kFrames = 1000;
  std::size_t before = allocations;
  for (int i = 0; i < kFrames; ++i) (void)session.run();
  const std::size_t of_the_runtime = allocations - before;
  before = allocations;
  for (int i = 0; i < kFrames; ++i) (void)frame();
  EXPECT_EQ(allocations - before, of_the_runtime);
}

TEST(HotPath, IsCounted) {
  const std::size_t before = allocations;
  const std::vector<int> something(7);
  EXPECT_EQ(allocations, before + 1) << something.size();
}

}  // namespace
}  // namespace andon::vision
