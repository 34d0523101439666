// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/device_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/quantise/byte_functions.hpp"
#include "model/testing/device_graphs.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;

TEST(DeviceGraph, GivesTheSameOutputsBitForBit) {
  const Quantised it = over_pixels(tiny_detector());
  const DeviceGraph device = make_device_graph(test_runtime(), it.after, {{}, 255.0F});
  ASSERT_TRUE(device.model) << device.what;
  EXPECT_THAT(device.what, HasSubstr("pixels as bytes"));
  EXPECT_EQ(difference(it.after, *device.model, 64, 64), 0);
}

TEST(DeviceGraph, HasATableForEachActivationAndConvolutionsOverChannels) {
  const Quantised it = over_pixels(tiny_detector());
  const DeviceGraph device = make_device_graph(test_runtime(), it.after, {{}, 255.0F});
  ASSERT_TRUE(device.model) << device.what;
  auto counts = operators_of(*device.model);
  EXPECT_EQ(counts["QLinearConv"], 8);
  EXPECT_EQ(counts["LutU8"], 8);
  EXPECT_EQ(counts["ConcatU8"], 1);
  EXPECT_EQ(counts["NhwcMaxPool"], 1);
  EXPECT_EQ(counts["Sigmoid"], 2 - 1);  // that of the scores, in float
  EXPECT_EQ(counts["QuantizeLinear"], 0);
  EXPECT_EQ(counts["Transpose"] - 1, 4);  // to the last convolutions, and the head's own
  const auto& input = device.model->graph().input(0).type().tensor_type();
  EXPECT_EQ(input.elem_type(), onnx::TensorProto::UINT8);
  EXPECT_EQ(input.shape().dim(1).dim_value(), 32);
  EXPECT_EQ(input.shape().dim(3).dim_value(), 12);
}

TEST(DeviceGraph, KeepsAFloatInputWherePixelsAreNotItsBytes) {
  const Quantised it = over_pixels(tiny_detector());
  for (const std::optional<float> divisor : {std::optional<float>{}, std::optional<float>{1.0F}}) {
    const DeviceGraph device = make_device_graph(test_runtime(), it.after, {{}, divisor});
    ASSERT_TRUE(device.model) << device.what;
    EXPECT_EQ(device.what.find("pixels"), std::string::npos);
    EXPECT_EQ(difference(it.after, *device.model, 64, 64), 0);
  }
}

// A network that begins with a convolution of its own shape.
ModelBuilder starting_with(std::int64_t kernel, const Shape& pads, std::int64_t width,
                           std::int64_t height) {
  ModelBuilder it;
  it.input("images", {1, 3, height, width});
  auto& first = it.node("Conv", {"images", it.random("w", {8, 3, kernel, kernel}, 0.2F)}, {"c"});
  ModelBuilder::set_integers(first, "strides", {2, 2});
  ModelBuilder::set_integers(first, "pads", pads);
  it.node("Sigmoid", {"c"}, {"s"});
  it.node("Mul", {"c", "s"}, {"a"});
  it.conv("a", "y", 8, 4, 1, 1);
  it.output("y", {1, 4, height / 2, width / 2});
  return it;
}

TEST(DeviceGraph, ReadsPixelsTwoByTwoWithAnyKernelOfStrideTwo) {
  struct Case {
    std::int64_t kernel;
    Shape pads;
  };
  for (const Case& it : {Case{1, {0, 0, 0, 0}}, Case{2, {0, 0, 0, 0}}, Case{3, {1, 1, 1, 1}},
                         Case{3, {0, 0, 1, 1}}, Case{4, {1, 1, 1, 1}}, Case{5, {2, 2, 2, 2}},
                         Case{6, {2, 2, 2, 2}}, Case{7, {3, 3, 3, 3}}, Case{3, {0, 1, 1, 0}}}) {
    const Quantised both = over_pixels(starting_with(it.kernel, it.pads, 24, 16));
    const DeviceGraph device = make_device_graph(test_runtime(), both.after, {{}, 255.0F});
    ASSERT_TRUE(device.model) << device.what;
    EXPECT_THAT(device.what, HasSubstr("pixels as bytes")) << it.kernel;
    EXPECT_EQ(difference(both.after, *device.model, 24, 16), 0) << it.kernel;
  }
}

TEST(DeviceGraph, LeavesAFirstConvolutionThatIsNoHalving) {
  const Quantised it = over_pixels(starting_with(3, {0, 0, 0, 0}, 24, 16));
  const DeviceGraph device = make_device_graph(test_runtime(), it.after, {{}, 255.0F});
  ASSERT_TRUE(device.model) << device.what;
  EXPECT_EQ(device.what.find("pixels"), std::string::npos);
  EXPECT_EQ(difference(it.after, *device.model, 24, 16), 0);
}

// Everything that has a form with channels last, once.
TEST(DeviceGraph, WritesWhatMovesJoinsAndPoolsWithChannelsLast) {
  ModelBuilder it;
  it.input("images", {1, 3, 32, 32});
  it.block("images", "a", 3, 8, 2);
  it.integers("parts", {3, 5});
  set_integer_attribute(it.node("Split", {"a", "parts"}, {"three", "five"}), "axis", 1);
  it.integers("from", {1});
  it.integers("to", {8});
  it.integers("channel", {1});
  it.node("Slice", {"a", "from", "to", "channel"}, {"seven"});
  set_integer_attribute(it.node("Concat", {"five", "three", "five", "seven"}, {"joined"}), "axis",
                        1);
  it.block("joined", "b", 20, 8, 1);
  it.node("Add", {"a", "b"}, {"sum"});
  it.node("Mul", {"sum", "b"}, {"product"});
  auto& average = it.node("AveragePool", {"product"}, {"average"});
  ModelBuilder::set_integers(average, "kernel_shape", {2, 2});
  ModelBuilder::set_integers(average, "strides", {2, 2});
  auto& resize =
      it.node("Resize", {"average", "", it.floats("double", {4}, {1, 1, 2, 2})}, {"large"});
  auto& mode = *resize.add_attribute();
  mode.set_name("coordinate_transformation_mode");
  mode.set_type(onnx::AttributeProto::STRING);
  mode.set_s("asymmetric");
  auto& rounding = *resize.add_attribute();
  rounding.set_name("nearest_mode");
  rounding.set_type(onnx::AttributeProto::STRING);
  rounding.set_s("floor");
  it.node("Relu", {it.conv("large", "c", 8, 8, 3, 1)}, {"relu"});
  it.node("GlobalAveragePool", {"relu"}, {"mean"});
  it.node("Mul", {"relu", "mean"}, {"weighed"});
  it.conv("weighed", "y", 8, 4, 1, 1);
  it.output("y", {1, 4, 16, 16});
  const Quantised both = over_pixels(it);
  const DeviceGraph device = make_device_graph(test_runtime(), both.after, {{}, 255.0F});
  ASSERT_TRUE(device.model) << device.what;
  EXPECT_EQ(difference(both.after, *device.model, 32, 32), 0);
  auto counts = operators_of(*device.model);
  EXPECT_EQ(counts["QuantizeLinear"], 0);
  EXPECT_EQ(counts["Transpose"], 1);
  EXPECT_EQ(counts["Relu"], 0);
  EXPECT_EQ(counts["RepeatU8"], 1);
  // Three and five are all of what was split: only the five before them, and the seven, are cut
  // out.
  EXPECT_EQ(counts["Split"], 0);
  EXPECT_EQ(counts["CutU8"], 1);
  EXPECT_EQ(counts["Slice"], 1);
}

TEST(DeviceGraph, IsNotMadeWhereNoTableWouldSaveAnything) {
  ModelBuilder it;
  it.input("images", {1, 3, 16, 16});
  it.node("Relu", {it.conv("images", "c", 3, 8, 3, 1)}, {"r"});
  it.conv("r", "y", 8, 4, 1, 1);
  it.output("y", {1, 4, 16, 16});
  const DeviceGraph device = make_device_graph(test_runtime(), over_pixels(it).after, {{}, 255.0F});
  EXPECT_FALSE(device.model);
  EXPECT_THAT(device.what, HasSubstr("none: "));
}

// Whatever is written around one value: HardSwish, Mish, GELU, a chain.
TEST(ByteFunctions, AreFoundWhateverTheActivationIs) {
  using Write = std::function<void(ModelBuilder&)>;
  const std::map<std::string, Write> activations{
      {"HardSwish", [](ModelBuilder& it) { it.node("HardSwish", {"c"}, {"a"}); }},
      {"Mish",
       [](ModelBuilder& it) {
         it.node("Softplus", {"c"}, {"p"});
         it.node("Tanh", {"p"}, {"t"});
         it.node("Mul", {"c", "t"}, {"a"});
       }},
      {"GELU",
       [](ModelBuilder& it) {
         it.node("Div", {"c", it.floats("root", {}, {1.41421356F})}, {"quotient"});
         it.node("Erf", {"quotient"}, {"e"});
         it.node("Add", {"e", it.floats("one", {1}, {1.0F})}, {"f"});
         it.node("Mul", {"c", "f"}, {"g"});
         it.node("Mul", {"g", it.floats("half", {1, 1, 1, 1}, {0.5F})}, {"a"});
       }},
      {"LeakyRelu", [](ModelBuilder& it) { it.node("LeakyRelu", {"c"}, {"a"}); }},
      {"SiLU twice",
       [](ModelBuilder& it) {
         it.node("Sigmoid", {"c"}, {"s"});
         it.node("Mul", {"s", "c"}, {"b"});
         it.node("Sigmoid", {"b"}, {"u"});
         it.node("Mul", {"b", "u"}, {"a"});
       }},
  };
  for (const auto& [name, write] : activations) {
    ModelBuilder it(14);
    it.input("images", {1, 3, 16, 16});
    it.conv("images", "c", 3, 8, 3, 2);
    write(it);
    it.conv("a", "d", 8, 8, 3, 1);
    it.node("Sigmoid", {"d"}, {"last"});
    it.conv("last", "y", 8, 4, 1, 1);
    it.output("y", {1, 4, 8, 8});
    const Quantised both = over_pixels(it);
    const DeviceGraph device = make_device_graph(test_runtime(), both.after, {{}, 255.0F});
    ASSERT_TRUE(device.model) << name << ": " << device.what;
    EXPECT_EQ(difference(both.after, *device.model, 16, 16), 0) << name;
    EXPECT_EQ(operators_of(*device.model)["LutU8"], 2) << name;
  }
}

TEST(ByteFunctions, AreOfOneTensorOnly) {
  ModelBuilder it;
  it.input("images", {1, 3, 16, 16});
  it.conv("images", "c", 3, 8, 3, 1);
  it.conv("images", "d", 3, 8, 3, 1);
  it.node("Sigmoid", {"d"}, {"gate"});
  it.node("Mul", {"c", "gate"}, {"a"});                                    // of two
  it.node("Mul", {"a", it.random("by_channel", {1, 8, 1, 1}, 1)}, {"b"});  // of many constants
  it.conv("b", "y", 8, 4, 1, 1);
  it.output("y", {1, 4, 16, 16});
  const Quantised both = over_pixels(it);
  EXPECT_EQ(find_byte_functions(test_runtime(), both.after).size(), 1U);
  const DeviceGraph device = make_device_graph(test_runtime(), both.after, {{}, 255.0F});
  ASSERT_TRUE(device.model) << device.what;
  EXPECT_EQ(difference(both.after, *device.model, 16, 16), 0);
}

}  // namespace
}  // namespace andon::model
