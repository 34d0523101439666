// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/external_weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::HasSubstr;
using tiny_onnx::Message;
using tiny_onnx::with_weights_in;

std::string refusal(std::string_view model) {
  try {
    static_cast<void>(external_weights(model));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "accepted";
}

TEST(ExternalWeights, AreNamedWithTheBytesThatTheyNeed) {
  const auto found = external_weights(with_weights_in("model.onnx.data", "100"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].location, "model.onnx.data");
  EXPECT_EQ(found[0].tensor, "w");
  EXPECT_EQ(found[0].bytes, 108U);
  EXPECT_TRUE(external_weights(tiny_onnx::detector(tiny_onnx::one_box())).empty());
}

TEST(ExternalWeights, AreFoundInBranchesAndFunctionsToo) {
  const auto entry = Message().bytes(1, "location").bytes(2, "w.bin");
  const Message tensor = Message().bytes(8, "w").message(13, entry).number(14, 1);
  const Message graph = Message().message(5, tensor);
  const Message branch = Message().message(5, Message().message(6, graph));
  EXPECT_EQ(external_weights(Message().message(7, Message().message(1, branch)).text()).size(), 1U);
  const Message constant = Message().message(5, Message().message(5, tensor));
  EXPECT_EQ(external_weights(Message().message(25, Message().message(7, constant)).text()).size(),
            1U);
  const Message sparse = Message().message(1, tensor);
  EXPECT_EQ(external_weights(Message().message(7, Message().message(15, sparse)).text()).size(),
            1U);
}

TEST(ExternalWeights, OutsideTheModelsFolderAreRefused) {
  for (const char* place : {"../secret", "/etc/passwd", "a/../../b", ""}) {
    EXPECT_THAT(refusal(with_weights_in(place)), HasSubstr("points out of the model's folder"))
        << place;
  }
  EXPECT_THAT(refusal(with_weights_in(std::string_view("a\0b", 3))), HasSubstr("points out of"));
  EXPECT_EQ(refusal(with_weights_in("weights/a.bin")), "accepted");
}

TEST(ExternalWeights, WithAnOffsetThatIsNoNumberAreRefused) {
  EXPECT_THAT(refusal(with_weights_in("w", "-1")), HasSubstr("offset is '-1', not a number"));
  const auto huge = external_weights(with_weights_in("w", "18446744073709551615"));
  EXPECT_EQ(huge.at(0).bytes, 18446744073709551615U);
}

TEST(ExternalWeights, OfWhatIsNoModelAreNone) {
  EXPECT_TRUE(external_weights("").empty());
  EXPECT_TRUE(external_weights("#!/bin/sh\n").empty());
  EXPECT_TRUE(external_weights(std::string(1000, '\xff')).empty());
  const std::string whole = with_weights_in("model.onnx.data");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    static_cast<void>(external_weights(std::string_view(whole).substr(0, size)));
  }
}

}  // namespace
}  // namespace andon::vision
