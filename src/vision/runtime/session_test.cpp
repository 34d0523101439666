// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using tiny_onnx::with_weights_in;

TEST(Session, TakesTheWeightsThatItIsGivenAndKeepsItsOwnCopy) {
  const std::array<float, 2> weights{3, 4};
  std::string bytes(reinterpret_cast<const char*>(weights.data()), sizeof weights);
  SessionOptions options;
  options.weights = {{"model.onnx.data", bytes}};
  Session session(test_runtime(), with_weights_in("model.onnx.data"), "model.onnx", options);
  std::ranges::fill(bytes, '\x7f');
  const auto input = session.bind_input({2});
  input[0] = 1;
  input[1] = 10;
  EXPECT_THAT(session.run().front().values, ElementsAre(3, 40));
}

TEST(Session, ReadsNoFileOfItsOwnAccord) {
  const base::TemporaryDirectory folder;
  base::write_file_atomically(folder.path() / "secret", "12345678");
  const std::string place = (folder.path() / "secret").string();
  EXPECT_THROW((void)Session(test_runtime(), with_weights_in(place), "model.onnx"), base::Error);
}

}  // namespace
}  // namespace andon::vision
