// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/quantise.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "model/graph/cleanup.hpp"
#include "model/graph/execution.hpp"
#include "model/testing/models.hpp"
#include "model/testing/quantised.hpp"

namespace andon::model {
namespace {

TEST(Quantise, TheRuntimeRunsEveryLayerInIntegers) {
  const Quantised it = quantised(tiny_detector());
  const auto counts = operators_run(it.after);
  EXPECT_EQ(counts.at("QLinearConv"), 8);
  EXPECT_EQ(counts.at("QLinearSigmoid"), 8);
  EXPECT_EQ(counts.at("QLinearMul"), 8);
  EXPECT_EQ(counts.at("QLinearConcat"), 1);
  // The four that end the network and the one that averages bins.
  EXPECT_EQ(counts.at("Conv"), 5);
}

TEST(Quantise, KeepsTheOutputsCloseAndTheScoresAlive) {
  const Quantised it = quantised(tiny_detector());
  EXPECT_LT(largest_difference(test_runtime(), it.before, it.after, std::nullopt), 0.02);
  EXPECT_LT(it.after.serialise().size(), it.before.serialise().size());
}

TEST(Quantise, SaysWhyEachNodeStaysInFloat) {
  const Quantised it = quantised(tiny_detector());
  std::map<std::string, std::string> reasons;
  for (const NodeInFloat& node : it.plan.in_float) reasons[node.node] = node.reason;
  EXPECT_EQ(reasons.at("output0/Concat"), "decodes the outputs");
  EXPECT_EQ(reasons.at("boxes8/Conv"), "last convolution: what it gives is not rounded");
}

TEST(Quantise, GivesTheSameBytesEachTime) {
  EXPECT_EQ(quantised(tiny_detector()).after.serialise(),
            quantised(tiny_detector()).after.serialise());
}

TEST(Quantise, LeavesExcludedNodesInFloat) {
  QuantisationOptions options;
  options.excluded = {"p2.c", "p2.s", "p2"};
  const auto counts = operators_run(quantised(tiny_detector(), options).after);
  EXPECT_EQ(counts.at("QLinearConv"), 7);
  EXPECT_EQ(counts.at("Conv"), 6);
}

TEST(Quantise, PutsAReluIntoItsConvolution) {
  ModelBuilder builder;
  builder.input("x", {1, 3, 16, 16});
  builder.conv("x", "c", 3, 8, 3, 1);
  builder.node("Relu", {"c"}, {"r"});
  builder.conv("r", "d", 8, 8, 3, 1);
  builder.node("Relu", {"d"}, {"s"});
  builder.conv("s", "y", 8, 4, 1, 1);
  builder.output("y", {1, 4, 16, 16});
  const Quantised it = quantised(builder);
  const auto counts = operators_run(it.after);
  EXPECT_EQ(counts.at("QLinearConv"), 2);
  EXPECT_FALSE(counts.contains("Relu"));
  EXPECT_LT(largest_difference(test_runtime(), it.before, it.after, std::nullopt), 0.03);
}

TEST(Quantise, ConcatCopiesWhereItsInputsShareAScale) {
  const auto scales = [](double limit) {
    QuantisationOptions options;
    options.shared_concat_limit = limit;
    int found = 0;
    const Quantised it = quantised(tiny_detector(), options);
    for (const auto& tensor : it.after.graph().initializer()) {
      if (tensor.name().starts_with('q') && tensor.name().ends_with("_s")) ++found;
    }
    return found;
  };
  EXPECT_LT(scales(4), scales(0));
}

TEST(Quantise, KeepsTheWeightsOfEachChannelApart) {
  ModelBuilder builder;
  builder.input("x", {1, 1, 8, 8});
  builder.node("Conv", {"x", builder.floats("w", {2, 1, 1, 1}, {100.0F, 0.01F})}, {"c"});
  builder.conv("c", "y", 2, 1, 1, 1);
  builder.output("y", {1, 1, 8, 8});
  const Quantised it = quantised(builder);
  for (const auto& tensor : it.after.graph().initializer()) {
    if (tensor.name() != "w0") continue;
    EXPECT_EQ(tensor.raw_data(), std::string("\x3f\x3f"));
  }
}

// Two products of a byte and a weight fit into 16 bits where the byte is a bright pixel.
TEST(Quantise, WhatReadsPixelsCannotOverflow) {
  int first = 0;
  int others = 0;
  const Quantised it = quantised(tiny_detector());
  for (const auto& tensor : it.after.graph().initializer()) {
    if (tensor.data_type() != onnx::TensorProto::INT8 || tensor.dims_size() != 4) continue;
    for (const char value : tensor.raw_data()) {
      int& most = tensor.dims(1) == 3 ? first : others;
      most = std::max(most, std::abs(static_cast<signed char>(value)));
    }
  }
  EXPECT_EQ(first, 63);
  EXPECT_EQ(others, 127);
}

TEST(LayersOf, AConvolutionGoesWithItsActivation) {
  const Quantised it = quantised(tiny_detector());
  const auto layers = layers_of(it.before, it.plan);
  ASSERT_EQ(layers.size(), 8U);
  EXPECT_EQ(layers[0].nodes, (std::set<std::string>{"p1.c", "p1.s", "p1"}));
}

}  // namespace
}  // namespace andon::model
