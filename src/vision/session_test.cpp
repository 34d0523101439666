// SPDX-License-Identifier: Apache-2.0
#include "vision/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/error.hpp"
#include "base/file.hpp"
#include "vision/test_runtime.hpp"
#include "vision/tiny_onnx.hpp"

namespace andon::vision {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::HasSubstr;
using tiny_onnx::Message;

// y = x * w, where w is in `location`, beside the model: how PyTorch's newer exporter writes them.
std::string with_weights_in(const std::string& location) {
  const auto entry = [](std::string_view key, std::string_view value) {
    return Message().bytes(1, key).bytes(2, value);
  };
  constexpr int kDataLocation = 14;
  const Message weights = Message()
                              .number(1, 2)
                              .number(2, tiny_onnx::kFloat32)
                              .bytes(8, "w")
                              .message(13, entry("location", location))
                              .message(13, entry("length", "8"))
                              .number(kDataLocation, 1);
  const Message graph = Message()
                            .message(1, tiny_onnx::node("Mul", {"x", "w"}, "y"))
                            .bytes(2, "tiny")
                            .message(5, weights)
                            .message(11, tiny_onnx::value_info("x", tiny_onnx::kFloat32, {2}))
                            .message(12, tiny_onnx::value_info("y", tiny_onnx::kFloat32, {2}));
  return Message()
      .number(1, 8)
      .message(7, graph)
      .message(8, Message().bytes(1, "").number(2, 13))
      .text();
}

TEST(Session, ReadsWeightsThatAreBesideTheModel) {
  const fs::path folder = fs::path(testing::TempDir()) / "session-weights";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::array<float, 2> weights{3, 4};
  base::write_file_atomically(
      folder / "model.onnx.data",
      {reinterpret_cast<const char*>(weights.data()), sizeof(float) * weights.size()});
  const std::string model = with_weights_in("model.onnx.data");
  SessionOptions options;
  options.weights_folder = folder;
  Session session(test_runtime(), model, "model.onnx", options);
  const auto input = session.bind_input({2});
  input[0] = 1;
  input[1] = 10;
  EXPECT_THAT(session.run().front().values, ElementsAre(3, 40));

  fs::remove(folder / "model.onnx.data");
  try {
    const Session missing(test_runtime(), model, "model.onnx", options);
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("model.onnx.data"));
  }
  fs::remove_all(folder);
}

TEST(Session, DoesNotReadWeightsElsewhere) {
  const fs::path folder = fs::path(testing::TempDir()) / "session-weights-elsewhere";
  fs::remove_all(folder);
  fs::create_directories(folder / "model");
  base::write_file_atomically(folder / "secret", "12345678");
  SessionOptions options;
  options.weights_folder = folder / "model";
  EXPECT_THROW((void)Session(test_runtime(), with_weights_in("../secret"), "model.onnx", options),
               base::Error);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace andon::vision
