// SPDX-License-Identifier: Apache-2.0
// Device graphs of small networks built as the families of models are: which parts of each have a
// form in eight bits, and that the outputs stay what they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/quantise/device_graph.hpp"
#include "model/testing/device_graphs.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kSide = 32;

struct Made {
  DeviceGraph device;
  std::map<std::string, int> operators;
};

Made with_same_outputs(const ModelBuilder& builder) {
  const Quantised both = over_pixels(builder);
  Made made{make_device_graph(test_runtime(), both.after, {{}, 255.0F}), {}};
  if (!made.device.model) {
    ADD_FAILURE() << made.device.what;
    return made;
  }
  // Float operators may take sums in another order, no more.
  EXPECT_LE(difference(both.after, *made.device.model, kSide, kSide), 1e-5);
  made.operators = operators_of(*made.device.model);
  return made;
}

ModelBuilder backbone() {
  ModelBuilder it;
  it.input("images", {1, 3, kSide, kSide});
  it.block("images", "p1", 3, 8, 2);
  it.block("p1", "p2", 8, 16, 2);
  return it;
}

// What a family adds to it: a block, and a convolution that makes an output of it.
void add_head(ModelBuilder& it, const std::string& name, std::int64_t channels) {
  it.block("p2", name + ".block", 16, 8, 1);
  it.conv(name + ".block", name, 8, channels, 1, 1);
}

// Coefficients beside the boxes; prototypes through a ConvTranspose, which has no 8-bit kernel.
TEST(DeviceGraphFamilies, ASegmentersTransposedConvolutionStaysInFloat) {
  ModelBuilder it = backbone();
  add_head(it, "boxes", 5);
  add_head(it, "coefficients", 4);
  it.block("p2", "proto", 16, 8, 1);
  auto& up = it.node("ConvTranspose", {"proto", it.random("up.w", {8, 8, 2, 2}, 0.3F)}, {"large"});
  ModelBuilder::set_integers(up, "strides", {2, 2});
  it.block("large", "smooth", 8, 8, 1);
  it.conv("smooth", "prototypes", 8, 4, 1, 1);
  it.output("boxes", {1, 5, kSide / 4, kSide / 4});
  it.output("coefficients", {1, 4, kSide / 4, kSide / 4});
  it.output("prototypes", {1, 4, kSide / 2, kSide / 2});
  Made made = with_same_outputs(it);
  EXPECT_THAT(made.device.what, HasSubstr("pixels as bytes"));
  EXPECT_EQ(made.operators["LutU8"], 6);
  EXPECT_EQ(made.operators["ConvTranspose"], 1);
}

TEST(DeviceGraphFamilies, AClassifiersMatrixProductStaysInFloat) {
  ModelBuilder it = backbone();
  it.block("p2", "p3", 16, 16, 1);
  it.node("GlobalAveragePool", {"p3"}, {"mean"});
  it.node("Flatten", {"mean"}, {"flat"});
  it.node("Gemm", {"flat", it.random("w", {16, 5}, 0.5F), it.random("b", {5}, 0.1F)}, {"logits"});
  it.node("Softmax", {"logits"}, {"chances"});
  it.output("chances", {1, 5});
  Made made = with_same_outputs(it);
  EXPECT_THAT(made.device.what, HasSubstr("pixels as bytes"));
  EXPECT_GE(made.operators["LutU8"], 2);
  EXPECT_EQ(made.operators["Gemm"], 1);
}

// Keypoints from the last convolutions by arithmetic in float.
TEST(DeviceGraphFamilies, APoseModelsKeypointsAreDecodedInFloat) {
  ModelBuilder it = backbone();
  add_head(it, "boxes", 5);
  add_head(it, "raw", 6);
  it.integers("parts", {4, 2});
  set_integer_attribute(it.node("Split", {"raw", "parts"}, {"places", "seen"}), "axis", 1);
  it.node("Mul", {"places", it.floats("two", {}, {2.0F})}, {"twice"});
  it.node("Sigmoid", {"seen"}, {"chances"});
  set_integer_attribute(it.node("Concat", {"boxes", "twice", "chances"}, {"rows"}), "axis", 1);
  it.output("rows", {1, 11, kSide / 4, kSide / 4});
  Made made = with_same_outputs(it);
  EXPECT_THAT(made.device.what, HasSubstr("pixels as bytes"));
  EXPECT_EQ(made.operators["LutU8"], 4);
}

// YOLOX begins with every second pixel of every second row, four times, joined: no convolution of
// stride 2 reads its pixels, so they stay floats.
TEST(DeviceGraphFamilies, YoloxsFocusKeepsPixelsAsFloats) {
  ModelBuilder it;
  it.input("images", {1, 3, kSide, kSide});
  it.integers("axes", {2, 3});
  it.integers("ends", {kSide, kSide});
  it.integers("steps", {2, 2});
  std::vector<std::string> parts;
  for (const std::int64_t across : {0, 1}) {
    for (const std::int64_t down : {0, 1}) {
      const std::string name = "from" + std::to_string(down) + std::to_string(across);
      it.integers(name, {down, across});
      parts.push_back("part" + name);
      it.node("Slice", {"images", name, "ends", "axes", "steps"}, {parts.back()});
    }
  }
  set_integer_attribute(it.node("Concat", parts, {"focus"}), "axis", 1);
  it.block("focus", "p1", 12, 8, 1);
  it.block("p1", "p2", 8, 16, 2);
  it.conv("p2", "rows", 16, 7, 1, 1);
  it.output("rows", {1, 7, kSide / 4, kSide / 4});
  Made made = with_same_outputs(it);
  EXPECT_THAT(made.device.what, Not(HasSubstr("pixels")));
  EXPECT_EQ(made.operators["LutU8"], 2);
  EXPECT_EQ(made.operators["QLinearConv"], 2);
}

// RT-DETR's attention over the cells of a level, with GELU behind a matrix product: in float. What
// stands around it in convolutions is in eight bits.
TEST(DeviceGraphFamilies, RtDetrsAttentionStaysInFloatBetweenItsConvolutions) {
  constexpr std::int64_t kCells = kSide / 4 * kSide / 4;
  ModelBuilder it = backbone();
  it.integers("rows", {1, 16, kCells});
  it.node("Reshape", {"p2", "rows"}, {"columns"});
  ModelBuilder::set_integers(it.node("Transpose", {"columns"}, {"cells"}), "perm", {0, 2, 1});
  it.node("MatMul", {"cells", it.random("query.w", {16, 16}, 0.3F)}, {"query"});
  it.node("MatMul", {"query", "columns"}, {"alike"});
  set_integer_attribute(it.node("Softmax", {"alike"}, {"weights"}), "axis", 2);
  it.node("MatMul", {"weights", "cells"}, {"attended"});
  it.node("Add", {"attended", "cells"}, {"sum"});
  it.node("MatMul", {"sum", it.random("wide.w", {16, 16}, 0.3F)}, {"wide"});
  it.node("Div", {"wide", it.floats("root", {}, {1.41421356F})}, {"quotient"});
  it.node("Erf", {"quotient"}, {"erf"});
  it.node("Add", {"erf", it.floats("one", {}, {1.0F})}, {"raised"});
  it.node("Mul", {"wide", "raised"}, {"doubled"});
  it.node("Mul", {"doubled", it.floats("half", {}, {0.5F})}, {"gelu"});
  ModelBuilder::set_integers(it.node("Transpose", {"gelu"}, {"back"}), "perm", {0, 2, 1});
  it.integers("picture", {1, 16, kSide / 4, kSide / 4});
  it.node("Reshape", {"back", "picture"}, {"level"});
  set_integer_attribute(it.node("Concat", {"level", "p2"}, {"joined"}), "axis", 1);
  it.block("joined", "fused", 32, 16, 1);
  it.block("fused", "again", 16, 16, 1);
  it.conv("again", "logits", 16, 4, 1, 1);
  it.output("logits", {1, 4, kSide / 4, kSide / 4});
  Made made = with_same_outputs(it);
  EXPECT_THAT(made.device.what, HasSubstr("pixels as bytes"));
  EXPECT_GE(made.operators["LutU8"], 3);
  EXPECT_EQ(made.operators["Erf"], 1);
  EXPECT_EQ(made.operators["Softmax"], 1);
}

}  // namespace
}  // namespace andon::model
