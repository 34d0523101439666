// SPDX-License-Identifier: Apache-2.0
// Every pass is proven by running the model before and after it.
#include "model/graph/cleanup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "model/graph/execution.hpp"
#include "model/testing/models.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;

double difference(const Model& before, const Model& after) {
  return largest_difference(test_runtime(), before, after, std::nullopt);
}

int count(const Model& model, std::string_view type) {
  int found = 0;
  for (const auto& node : model.graph().node()) found += node.op_type() == type ? 1 : 0;
  return found;
}

TEST(FuseBatchNormalization, LeavesTheConvolutionWithTheSameResult) {
  for (const bool has_bias : {true, false}) {
    ModelBuilder builder;
    builder.input("x", {1, 3, 8, 8});
    builder.conv("x", "c", 3, 4, 3, 1);
    if (!has_bias) builder.graph().mutable_node(0)->mutable_input()->RemoveLast();
    builder.floats("variance", {4}, {0.5F, 1.0F, 2.0F, 0.01F});
    builder.node("BatchNormalization",
                 {"c", builder.random("scale", {4}, 2), builder.random("shift", {4}, 1),
                  builder.random("mean", {4}, 1), "variance"},
                 {"y"});
    builder.output("y", {1, 4, 8, 8});
    const Model before = builder.model();
    Model after = before;
    EXPECT_THAT(fuse_batch_normalization(after), HasSubstr("1 BatchNormalization"));
    EXPECT_EQ(after.graph().node_size(), 1);
    EXPECT_LT(difference(before, after), 1e-5);
  }
}

TEST(FuseBatchNormalization, LeavesAConvolutionThatOthersReadToo) {
  ModelBuilder builder;
  builder.input("x", {1, 3, 8, 8});
  builder.conv("x", "c", 3, 4, 3, 1);
  builder.node("BatchNormalization",
               {"c", builder.random("scale", {4}, 2), builder.random("shift", {4}, 1),
                builder.random("mean", {4}, 1), builder.floats("variance", {4}, {1, 1, 1, 1})},
               {"n"});
  builder.node("Add", {"n", "c"}, {"y"});
  builder.output("y", {1, 4, 8, 8});
  Model model = builder.model();
  EXPECT_EQ(fuse_batch_normalization(model), "");
  EXPECT_EQ(model.graph().node_size(), 3);
}

TEST(RemoveIdentities, KeepsNamesOfOutputs) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.node("Identity", {"x"}, {"a"});
  builder.node("Relu", {"a"}, {"b"});
  builder.node("Dropout", {"b"}, {"c"});
  builder.node("Identity", {"c"}, {"y"});
  builder.output("y", {1, 4});
  const Model before = builder.model();
  Model after = before;
  EXPECT_THAT(remove_identities(after), HasSubstr("3 nodes"));
  EXPECT_EQ(after.graph().node_size(), 1);
  EXPECT_EQ(output_names(after), (std::vector<std::string>{"y"}));
  EXPECT_EQ(difference(before, after), 0);
}

TEST(RemoveIdentities, KeepsOneBetweenInputAndOutput) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.node("Identity", {"x"}, {"y"});
  builder.output("y", {1, 4});
  Model model = builder.model();
  EXPECT_EQ(remove_identities(model), "");
}

TEST(FoldConstants, ComputesWhatDependsOnNoInput) {
  ModelBuilder builder;
  builder.input("x", {1, 4, 4, 4});
  builder.random("a", {4}, 1);
  builder.random("b", {4}, 1);
  builder.node("Mul", {"a", "b"}, {"ab"});
  builder.node("Exp", {"ab"}, {"e"});
  builder.node("Add", {"x", "e"}, {"s"});
  builder.node("Shape", {"s"}, {"shape"});
  builder.node("Reshape", {"s", "shape"}, {"y"});
  builder.output("y", {1, 4, 4, 4});
  const Model before = builder.model();
  Model after = before;
  EXPECT_THAT(fold_constants(test_runtime(), after, std::nullopt), HasSubstr("3 constants"));
  EXPECT_EQ(after.graph().node_size(), 2);
  EXPECT_EQ(difference(before, after), 0);
}

TEST(FoldConstants, LeavesShapesThatAreNotFixed) {
  ModelBuilder builder;
  builder.input("x", {-1, 3, -1, -1});
  builder.node("Shape", {"x"}, {"shape"});
  builder.node("Relu", {"x"}, {"r"});
  builder.node("Reshape", {"r", "shape"}, {"y"});
  builder.output("y", {-1, 3, -1, -1});
  Model model = builder.model();
  EXPECT_EQ(fold_constants(test_runtime(), model, vision::Size{8, 8}), "");
  EXPECT_EQ(count(model, "Shape"), 1);
}

TEST(RaiseOpset, KeepsWhatOldOperatorsMean) {
  ModelBuilder builder(11);
  builder.input("x", {1, 6, 4, 1});
  auto& split = builder.node("Split", {"x"}, {"a", "b"});
  set_integer_attribute(split, "axis", 1);
  ModelBuilder::set_integers(split, "split", {2, 4});
  auto& squeezed = builder.node("Squeeze", {"b"}, {"c"});
  ModelBuilder::set_integers(squeezed, "axes", {3});
  auto& back = builder.node("Unsqueeze", {"c"}, {"d"});
  ModelBuilder::set_integers(back, "axes", {3});
  auto& sum = builder.node("ReduceSum", {"d"}, {"e"});
  ModelBuilder::set_integers(sum, "axes", {1});
  // From axis 2 on: [4,1], one axis that is longer than 1.
  set_integer_attribute(builder.node("Softmax", {"e"}, {"f"}), "axis", 2);
  builder.node("Add", {"f", "a"}, {"y"});
  builder.output("y", {1, 2, 4, 1});
  const Model before = builder.model();
  Model after = before;
  EXPECT_EQ(raise_opset(test_runtime(), after, std::nullopt), "opset raised from 11 to 13");
  EXPECT_EQ(after.opset(), 13);
  EXPECT_EQ(difference(before, after), 0);
  EXPECT_EQ(raise_opset(test_runtime(), after, std::nullopt), "");
}

TEST(RaiseOpset, RefusesASoftmaxOverSeveralAxes) {
  ModelBuilder builder(12);
  builder.input("x", {1, 2, 3});
  builder.node("Softmax", {"x"}, {"y"});  // axis 1 on: 6 values in a row
  builder.output("y", {1, 2, 3});
  Model model = builder.model();
  try {
    static_cast<void>(raise_opset(test_runtime(), model, std::nullopt));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("several axes"));
  }
}

TEST(StoreHalfWeights, HalvesTheFileAndKeepsInputsAndOutputs) {
  const Model before = tiny_detector().model();
  Model after = before;
  EXPECT_THAT(store_half_weights(after), HasSubstr("stored as float16"));
  EXPECT_LT(after.serialise().size(), before.serialise().size() * 6 / 10);
  EXPECT_LT(difference(before, after), 2e-3);
  EXPECT_EQ(after.graph().input(0).type().tensor_type().elem_type(), onnx::TensorProto::FLOAT);
}

TEST(StoreHalfWeights, RoundsToTheNearestAndLeavesWhatDoesNotFit) {
  std::vector<float> values(512, 1.0F);
  values[0] = 65504.0F;
  values[1] = 1.0F + 1.0F / 2048.0F;  // a tie: to even
  values[2] = -5.9604645e-08F;        // the smallest subnormal
  values[3] = 0.333F;
  ModelBuilder builder;
  builder.input("x", {512});
  builder.node("Add", {"x", builder.floats("w", {512}, values)}, {"a"});
  std::vector<float> large(512, 70000.0F);
  builder.node("Add", {"a", builder.floats("large", {512}, large)}, {"y"});
  builder.node("Mul", {"x", "w"}, {"z"});
  builder.output("y", {512});
  builder.output("z", {512});
  Model model = builder.model();
  EXPECT_EQ(store_half_weights(model), "1 weights stored as float16");
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.data_type() != onnx::TensorProto::FLOAT16) continue;
    const auto* halves = reinterpret_cast<const std::uint16_t*>(tensor.raw_data().data());
    EXPECT_EQ(halves[0], 0x7BFF);
    EXPECT_EQ(halves[1], 0x3C00);
    EXPECT_EQ(halves[2], 0x8001);
    EXPECT_EQ(halves[3], 0x3554);
  }
}

TEST(CleanUp, SaysWhatItDidAndChangesNoOutput) {
  const Model before = tiny_detector().model();
  Model after = before;
  static_cast<void>(clean_up(test_runtime(), after, std::nullopt));
  EXPECT_LT(difference(before, after), 1e-5);
}

TEST(CleanUp, LeavesControlFlowAlone) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.node("ReduceMax", {"x"}, {"max"});
  builder.node("Cast", {"max"}, {"condition"});
  set_integer_attribute(*builder.graph().mutable_node(1), "to", onnx::TensorProto::BOOL);
  builder.integers("none", {});
  auto& squeezed = builder.node("Reshape", {"condition", "none"}, {"scalar"});
  static_cast<void>(squeezed);
  auto& branch = builder.node("If", {"scalar"}, {"y"});
  for (const char* name : {"then_branch", "else_branch"}) {
    auto& attribute = *branch.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    auto& inner = *attribute.mutable_g();
    inner.set_name(name);
    const std::string made = std::string(name) + "_out";
    *inner.add_node() =
        make_node(name == std::string("then_branch") ? "Relu" : "Neg", "", {"x"}, {made});
    inner.add_output()->set_name(made);
    inner.mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  }
  builder.output("y", {1, 4});
  Model model = builder.model();
  static_cast<void>(clean_up(test_runtime(), model, std::nullopt));
  EXPECT_EQ(count(model, "If"), 1);
}

TEST(CleanUp, NamesAnOperatorThatTheRuntimeDoesNotKnow) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.node("FancyNewOperator", {"x"}, {"y"});
  builder.output("y", {1, 4});
  Model model = builder.model();
  try {
    static_cast<void>(clean_up(test_runtime(), model, std::nullopt));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("FancyNewOperator"));
  }
}

}  // namespace
}  // namespace andon::model
