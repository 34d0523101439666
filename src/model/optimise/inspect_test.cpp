// SPDX-License-Identifier: Apache-2.0
#include "model/optimise/inspect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/quantise/head.hpp"
#include "model/testing/models.hpp"

namespace andon::model {
namespace {

vision::ModelFile file_of(const Model& model) {
  return vision::model_in_memory(model.serialise(), model.name());
}

using ::testing::HasSubstr;

TEST(Inspect, CountsOperationsParametersAndMemory) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 8, 8});
  builder.conv("x", "c", 2, 4, 3, 1);
  builder.node("Relu", {"c"}, {"y"});
  builder.output("y", {1, 4, 8, 8});
  InspectionOptions options;
  options.runs = 3;
  const Inspection it =
      inspect(test_runtime(), vision::model_in_memory(builder.bytes(), "m.onnx"), options);
  EXPECT_EQ(it.parameters, 4U * 2 * 9 + 4);
  EXPECT_EQ(it.weight_bytes, it.parameters * 4);
  // 4 channels of 8x8, each of 18 multiplications and additions.
  EXPECT_DOUBLE_EQ(it.gflop, 2.0 * 4 * 64 * 18 / 1e9);
  EXPECT_EQ(it.activation_bytes, 2U * 4 * 64 * 4);
  EXPECT_EQ(it.inputs, (std::vector<std::string>{"x float32 [1,2,8,8]"}));
  EXPECT_EQ(it.opsets.at("ai.onnx"), 13);
  EXPECT_EQ(it.operators.at("Conv"), 1U);
  ASSERT_FALSE(it.times.empty());
  EXPECT_GT(it.total_ms, 0);
  EXPECT_THAT(it.head, HasSubstr("not recognised"));
}

TEST(Inspect, RecognisesAHeadWholeAndCutOff) {
  InspectionOptions options;
  options.runs = 0;
  Model model = tiny_detector().model();
  EXPECT_EQ(inspect(test_runtime(), file_of(model), options).head,
            "yolov8_dfl, strides 8 16, 2 classes");
  cut_head(model, *find_head(test_runtime(), model, std::nullopt).head);
  const Inspection cut = inspect(test_runtime(), file_of(model), options);
  EXPECT_EQ(cut.head, "yolov8_dfl, cut off");
  EXPECT_EQ(cut.outputs.size(), 4U);
  EXPECT_TRUE(cut.times.empty());
}

}  // namespace
}  // namespace andon::model
