// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/own_convolutions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>

#include "base/error/error.hpp"
#include "vision/operators/pixel_convolution.hpp"
#include "vision/runtime/session.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;
using tiny_onnx::Message;
using Shape = std::vector<std::int64_t>;

constexpr std::uint64_t kInt8 = 3;
constexpr std::uint64_t kInt32 = 6;

template <typename Value>
Message tensor(std::string_view name, std::uint64_t type, const Shape& shape,
               const std::vector<Value>& values) {
  Message message;
  for (const std::int64_t side : shape) message.number(1, static_cast<std::uint64_t>(side));
  return message.number(2, type).bytes(8, name).bytes(
      9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)});
}

Message integer(std::string_view name, std::uint64_t value) {
  return Message().bytes(1, name).number(3, value).number(20, 2);
}
Message integers(std::string_view name, const Shape& values) {
  Message message;
  message.bytes(1, name);
  for (const std::int64_t value : values) message.number(8, static_cast<std::uint64_t>(value));
  return message.number(20, 7);
}

struct Example {
  std::int64_t channels = 8;
  std::int64_t outputs = 20;
  std::int64_t kernel = 3;
  Shape strides{1, 1};
  Shape pads{1, 1, 1, 1};
  bool has_bias = true;
  bool has_table = true;
  bool is_read_twice = false;  // what the table reads is an output, too
  std::int64_t groups = 1;
  std::uint64_t channels_last = 1;
  std::int8_t weights_zero = 0;
};

// y = LutU8(QLinearConv(x)), as a device graph has it.
std::string model_of(const Example& it) {
  std::mt19937 random(7);
  const auto bytes = [&](std::size_t count) {
    std::vector<std::int8_t> values(count);
    for (auto& value : values) value = static_cast<std::int8_t>(random());
    return values;
  };
  const auto outputs = static_cast<std::size_t>(it.outputs);
  std::vector<float> scales(outputs);
  for (auto& value : scales) value = 0.001F * static_cast<float>(1 + random() % 9);
  std::vector<std::int32_t> bias(outputs);
  for (auto& value : bias) value = static_cast<std::int32_t>(random() % 2000) - 1000;
  const Shape shape{it.outputs, it.channels / it.groups, it.kernel, it.kernel};
  const auto count = static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]);
  Message graph;
  graph.bytes(2, "tiny")
      .message(5, tensor<float>("xs", tiny_onnx::kFloat32, {}, {0.02F}))
      .message(5, tensor<std::uint8_t>("xz", tiny_onnx::kUint8, {}, {131}))
      .message(5, tensor("w", kInt8, shape, bytes(count)))
      .message(5, tensor("ws", tiny_onnx::kFloat32, {it.outputs}, scales))
      .message(
          5, tensor("wz", kInt8, {it.outputs}, std::vector<std::int8_t>(outputs, it.weights_zero)))
      .message(5, tensor<float>("ys", tiny_onnx::kFloat32, {}, {0.05F}))
      .message(5, tensor<std::uint8_t>("yz", tiny_onnx::kUint8, {}, {77}))
      .message(5, tensor("b", kInt32, {it.outputs}, bias));
  std::vector<std::string> inputs{"x", "xs", "xz", "w", "ws", "wz", "ys", "yz"};
  if (it.has_bias) inputs.emplace_back("b");
  Message node = tiny_onnx::node("QLinearConv", inputs, it.has_table ? "between" : "y");
  node.bytes(7, "com.microsoft")
      .message(5, integer("channels_last", it.channels_last))
      .message(5, integer("group", static_cast<std::uint64_t>(it.groups)))
      .message(5, integers("strides", it.strides))
      .message(5, integers("pads", it.pads));
  graph.message(1, node);
  if (it.has_table) {
    std::string table(256, '\0');
    for (char& value : table) value = static_cast<char>(random());
    Message lut = tiny_onnx::node("LutU8", {"between"}, "y");
    lut.bytes(7, "andon").message(5, Message().bytes(1, "table").bytes(4, table).number(20, 3));
    graph.message(1, lut);
  }
  const Shape any(4, -1);
  graph.message(11, tiny_onnx::value_info("x", tiny_onnx::kUint8, any));
  graph.message(12, tiny_onnx::value_info("y", tiny_onnx::kUint8, any));
  if (it.is_read_twice) {
    graph.message(12, tiny_onnx::value_info("between", tiny_onnx::kUint8, any));
  }
  return Message()
      .number(1, 8)
      .message(7, graph)
      .message(8, Message().bytes(1, "").number(2, 13))
      .message(8, Message().bytes(1, "com.microsoft").number(2, 1))
      .message(8, Message().bytes(1, "andon").number(2, 1))
      .text();
}

// y = Conv(DequantizeLinear(Transpose(x))), as a device graph's last convolutions are.
struct FloatExample {
  std::int64_t channels = 8;
  std::int64_t outputs = 6;
  bool has_bias = true;
  std::int64_t kernel = 1;
  Shape perm{0, 3, 1, 2};
  bool is_read_twice = false;
};
std::string float_model_of(const FloatExample& it) {
  std::mt19937 random(5);
  std::vector<float> weights(
      static_cast<std::size_t>(it.outputs * it.channels * it.kernel * it.kernel));
  for (float& value : weights) value = 0.001F * static_cast<float>(random() % 2000) - 1;
  Message graph;
  graph.bytes(2, "tiny")
      .message(5, tensor<float>("s", tiny_onnx::kFloat32, {}, {0.02F}))
      .message(5, tensor<std::uint8_t>("z", tiny_onnx::kUint8, {}, {131}))
      .message(5, tensor("w", tiny_onnx::kFloat32, {it.outputs, it.channels, it.kernel, it.kernel},
                         weights))
      .message(5, tensor("b", tiny_onnx::kFloat32, {it.outputs},
                         std::vector<float>(static_cast<std::size_t>(it.outputs), 0.3F)));
  Message moved = tiny_onnx::node("Transpose", {"x"}, "t");
  moved.message(5, integers("perm", it.perm));
  std::vector<std::string> inputs{"f", "w"};
  if (it.has_bias) inputs.emplace_back("b");
  graph.message(1, moved)
      .message(1, tiny_onnx::node("DequantizeLinear", {"t", "s", "z"}, "f"))
      .message(1, tiny_onnx::node("Conv", inputs, "y"));
  const Shape any(4, -1);
  graph.message(11, tiny_onnx::value_info("x", tiny_onnx::kUint8, any));
  graph.message(12, tiny_onnx::value_info("y", tiny_onnx::kFloat32, any));
  if (it.is_read_twice) graph.message(12, tiny_onnx::value_info("f", tiny_onnx::kFloat32, any));
  return Message()
      .number(1, 8)
      .message(7, graph)
      .message(8, Message().bytes(1, "").number(2, 13))
      .message(8, Message().bytes(1, "andon").number(2, 1))
      .text();
}

std::vector<std::uint8_t> run(const std::string& model, const Shape& shape, int threads = 1) {
  std::mt19937 random(3);
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
  for (auto& value : pixels) value = static_cast<std::uint8_t>(random());
  Session session(test_runtime(), model, "tiny.onnx", {.threads = threads});
  const std::vector<NamedTensor> given{{"x", {2, shape, std::as_bytes(std::span(pixels))}}};
  const std::vector<std::string> wanted{"y"};
  const TensorView& found = session.run_tensors(given, wanted).front();
  const auto* first = reinterpret_cast<const std::uint8_t*>(found.bytes.data());
  return {first, first + found.bytes.size()};
}

void expect_same(const Example& it, const Shape& shape) {
  const std::string model = model_of(it);
  const auto own = with_own_convolutions(model);
  ASSERT_TRUE(own);
  EXPECT_THAT(*own, HasSubstr("ConvU8"));
  const auto wanted = run(model, shape);
  EXPECT_EQ(run(*own, shape), wanted);
  EXPECT_EQ(run(*own, shape, 3), wanted);
}

TEST(OwnConvolutions, GiveWhatOnnxRuntimesGive) {
  expect_same({}, {1, 9, 14, 8});
  expect_same({.has_bias = false}, {1, 9, 14, 8});
  expect_same({.has_table = false}, {1, 5, 5, 8});
  expect_same({.channels = 64, .outputs = 64}, {2, 20, 20, 64});
  expect_same({.channels = 16, .outputs = 16}, {1, 161, 160, 16});
  expect_same({.channels = 32, .outputs = 80, .strides = {2, 2}}, {1, 21, 22, 32});
  expect_same({.channels = 48, .outputs = 33, .kernel = 1, .pads = {0, 0, 0, 0}}, {3, 7, 9, 48});
  expect_same({.channels = 12, .outputs = 16, .kernel = 2, .pads = {1, 1, 0, 0}}, {1, 40, 32, 12});
}

TEST(OwnConvolutions, TakeInATableThatAloneReadsThem) {
  EXPECT_THAT(*with_own_convolutions(model_of({})), Not(HasSubstr("LutU8")));
  const Example read_twice{.is_read_twice = true};
  EXPECT_THAT(*with_own_convolutions(model_of(read_twice)), HasSubstr("LutU8"));
  expect_same(read_twice, {1, 6, 6, 8});
}

std::vector<float> floats_of(const std::vector<std::uint8_t>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(OwnConvolutions, OfSinglePixelsInFloatGiveWhatOnnxRuntimesGive) {
  // As a detector has it both add in the same order with AVX-512: it is the same bits.
  const float apart = avx512_pixel_convolution() != nullptr ? 0 : 1e-4F;
  const std::pair<FloatExample, float> examples[]{
      {{}, 1e-5F},
      {{.has_bias = false}, 1e-5F},
      {{.channels = 64, .outputs = 64}, apart},
  };
  for (const auto& [it, most] : examples) {
    const std::string model = float_model_of(it);
    const auto own = with_own_convolutions(model);
    ASSERT_TRUE(own);
    EXPECT_THAT(*own, HasSubstr("ConvF32"));
    EXPECT_THAT(*own, Not(HasSubstr("Transpose")));
    const Shape shape{2, 30, 40, it.channels};
    const std::vector<float> wanted = floats_of(run(model, shape));
    EXPECT_THAT(floats_of(run(*own, shape)), Pointwise(FloatNear(most), wanted));
    EXPECT_THAT(floats_of(run(*own, shape, 3)), Pointwise(FloatNear(most), wanted));
  }
}

TEST(OwnConvolutions, LeaveWhatHasNoSuchForm) {
  EXPECT_FALSE(with_own_convolutions(float_model_of({.kernel = 3})));
  EXPECT_FALSE(with_own_convolutions(float_model_of({.perm = {0, 3, 2, 1}})));
  EXPECT_FALSE(with_own_convolutions(float_model_of({.is_read_twice = true})));
  EXPECT_FALSE(with_own_convolutions(model_of({.groups = 4})));
  EXPECT_FALSE(with_own_convolutions(model_of({.channels_last = 0})));
  EXPECT_FALSE(with_own_convolutions(tiny_onnx::detector(tiny_onnx::one_box())));
  EXPECT_FALSE(with_own_convolutions(""));
}

TEST(OwnConvolutions, WithWhatTheOperatorDoesNotDoAreRefused) {
  const auto own = with_own_convolutions(model_of({.weights_zero = 3}));
  ASSERT_TRUE(own);
  try {
    (void)run(*own, {1, 4, 4, 8});
    FAIL() << "was taken";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("no zero point"));
  }
  EXPECT_THROW((void)run(*with_own_convolutions(model_of({})), {1, 4, 4, 9}), base::Error);
}

// Nothing that is cut off, or has a byte changed, is read beyond its end.
TEST(OwnConvolutions, AreNotTroubledByWhatIsDamaged) {
  for (const std::string& whole : {model_of({}), float_model_of({})}) {
    for (std::size_t size = 1; size < whole.size(); size += 7) {
      const std::string_view part = std::string_view(whole).substr(0, whole.size() - size);
      (void)with_own_convolutions(part);
    }
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
      std::string other = whole;
      other[random() % other.size()] = static_cast<char>(random());
      (void)with_own_convolutions(other);
    }
  }
}

}  // namespace
}  // namespace andon::vision
