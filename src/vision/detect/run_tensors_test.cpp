// SPDX-License-Identifier: Apache-2.0
// Runs with tensors of any name and type, against the real ONNX Runtime.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "base/error/error.hpp"
#include "vision/runtime/session.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

tiny_onnx::DetectorSpec spec() {
  tiny_onnx::DetectorSpec result;
  result.output_shape = {1, 5, 8};
  result.values.assign(40, 2.0F);
  return result;
}

TEST(RunTensors, GivesTheNamedOutputsOfAnyInput) {
  Session session(test_runtime(), tiny_onnx::detector(spec()), "tiny.onnx");
  const std::vector<float> input(3 * 32 * 32, 0.5F);
  const NamedTensor given{"images", {1, {1, 3, 32, 32}, std::as_bytes(std::span(input))}};
  const std::vector<std::string> wanted{"output0"};
  const std::vector<TensorView>& outputs = session.run_tensors({&given, 1}, wanted);
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].element_type, 1);
  EXPECT_EQ(outputs[0].shape, (std::vector<std::int64_t>{1, 5, 8}));
  ASSERT_EQ(outputs[0].floats().size(), 40U);
  EXPECT_FLOAT_EQ(outputs[0].floats()[7], 1.0F);
}

TEST(RunTensors, RefusesAnOutputThatIsNotThere) {
  Session session(test_runtime(), tiny_onnx::detector(spec()), "tiny.onnx");
  const std::vector<float> input(3 * 32 * 32);
  const NamedTensor given{"images", {1, {1, 3, 32, 32}, std::as_bytes(std::span(input))}};
  const std::vector<std::string> wanted{"nowhere"};
  EXPECT_THROW(static_cast<void>(session.run_tensors({&given, 1}, wanted)), base::Error);
}

TEST(RunTensors, AProfileNamesEachOperator) {
  const base::TemporaryDirectory folder;
  SessionOptions options;
  options.profile_prefix = folder.path() / "profile";
  options.optimization = SessionOptions::Optimization::nothing;
  {
    Session session(test_runtime(), tiny_onnx::detector(spec()), "tiny.onnx", options);
    static_cast<void>(session.bind_input({1, 3, 32, 32}));
    static_cast<void>(session.run());
  }
  std::string text;
  for (const auto& entry : base::fs::directory_iterator(folder.path())) {
    text += base::read_file(entry.path());
  }
  EXPECT_NE(text.find("ReduceMean"), std::string::npos);
}

}  // namespace
}  // namespace andon::vision
