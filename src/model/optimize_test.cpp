// SPDX-License-Identifier: Apache-2.0
#include "model/optimize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "model/execution.hpp"
#include "model/test_models.hpp"
#include "vision/annotate.hpp"

namespace andon::model {
namespace {

using ::testing::HasSubstr;

// Noise, but the same noise each time.
CalibrationSet pictures(const base::TemporaryDirectory& folder) {
  std::minstd_rand generator(5);
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) {
    vision::Image image{{80, 60}, {}};
    image.rgb.resize(image.row_bytes() * 60);
    for (auto& value : image.rgb) value = static_cast<std::uint8_t>(generator() % 256U);
    base::write_file_atomically(folder.path() / name, vision::encode_jpeg(image, 95));
  }
  return choose_pictures(folder.path(), 10);
}

class Optimize : public ::testing::Test {
 protected:
  OptimizationResult run(const OptimizationOptions& options) {
    return optimize(test_runtime(), model_, bytes_, set_, options);
  }
  // Scores by how many 8-bit convolutions the model has: `cost` each.
  static Judge by_layers(double cost) {
    return {"test", [cost](std::string_view bytes, std::string_view name) {
              const Model model = Model::parse(bytes, name);
              int layers = 0;
              for (const auto& tensor : model.graph().initializer()) {
                const bool is_weight =
                    tensor.dims_size() == 4 && tensor.data_type() == onnx::TensorProto::INT8;
                layers += is_weight ? 1 : 0;
              }
              return Judgement{0.9 - cost * layers, std::nullopt};
            }};
  }

  base::TemporaryDirectory folder_;
  CalibrationSet set_ = pictures(folder_);
  Model model_ = tiny_detector().model();
  std::string bytes_ = model_.serialise();
};

TEST_F(Optimize, GivesAModelThatSaysWhereItComesFrom) {
  const OptimizationResult result = run({});
  const Model after = Model::parse(result.bytes, "after");
  EXPECT_EQ(after.metadata().at("andon_parent_digest"), model_.digest());
  EXPECT_EQ(after.metadata().at("andon_calibration_digest"), set_.digest);
  EXPECT_THAT(after.metadata().at("andon_tool"), HasSubstr("andon "));
  EXPECT_EQ(after.metadata().at("names"), model_.metadata().at("names"));
  EXPECT_EQ(result.report.before.digest, model_.digest());
  EXPECT_EQ(result.report.measure, "none");
  EXPECT_TRUE(result.report.gate_held);
  EXPECT_EQ(result.report.head, "yolov8_dfl, cut off");
}

TEST_F(Optimize, GivesTheSameBytesEachTime) {
  OptimizationOptions options;
  options.calibration.workers = 1;
  const std::string once = run(options).bytes;
  options.calibration.workers = 2;
  EXPECT_EQ(once, run(options).bytes);
}

TEST_F(Optimize, CutsTheHeadOffUnlessItIsToBeKept) {
  OptimizationOptions keep;
  keep.head = HeadTreatment::keep;
  EXPECT_EQ(output_names(Model::parse(run(keep).bytes, "after")),
            (std::vector<std::string>{"output0"}));
  const Model after = Model::parse(run({}).bytes, "after");
  EXPECT_EQ(output_names(after),
            (std::vector<std::string>{"boxes_8", "scores_8", "boxes_16", "scores_16"}));
}

TEST_F(Optimize, FitsTheInputToThePicturesOfACamera) {
  OptimizationOptions options;
  options.picture_size = vision::Size{80, 40};
  const OptimizationResult result = run(options);
  const Model after = Model::parse(result.bytes, "after");
  EXPECT_EQ(inputs_of(after, std::nullopt).front().shape,
            (std::vector<std::int64_t>{1, 3, 32, 64}));
  EXPECT_THAT(result.report.passes.back(), HasSubstr("64x32 instead of 64x64"));
  options.head = HeadTreatment::keep;
  EXPECT_THROW(static_cast<void>(run(options)), base::Error);
}

TEST_F(Optimize, LeavesTheMostSensitiveLayersInFloatUntilTheGateHolds) {
  OptimizationOptions options;
  options.judge = by_layers(0.01);
  options.max_drop = 0.065;  // eight layers cost 0.08, six 0.06
  const OptimizationResult result = run(options);
  EXPECT_TRUE(result.report.gate_held);
  ASSERT_EQ(result.report.rounds.size(), 3U);
  EXPECT_EQ(result.report.rounds.back().excluded_layers, 2U);
  ASSERT_EQ(result.report.sensitivities.size(), 8U);
  EXPECT_TRUE(result.report.sensitivities[1].is_excluded);
  EXPECT_FALSE(result.report.sensitivities[2].is_excluded);
  EXPECT_GE(result.report.sensitivities[0].error, result.report.sensitivities[1].error);
}

TEST_F(Optimize, SaysThatTheGateDoesNotHold) {
  OptimizationOptions options;
  options.judge = by_layers(0.1);
  options.max_drop = 0.01;
  const OptimizationResult result = run(options);
  EXPECT_FALSE(result.report.gate_held);
  EXPECT_GT(result.report.drop, 0.01);
}

TEST_F(Optimize, KeepsNodesInFloatThatItIsAskedTo) {
  OptimizationOptions options;
  options.in_float = {"p1.c/Conv"};
  const OptimizationResult result = run(options);
  ASSERT_FALSE(result.report.in_float.empty());
  EXPECT_EQ(result.report.in_float[0].reason, "asked for");
}

TEST_F(Optimize, StoresHalvesWithoutPictures) {
  OptimizationOptions options;
  options.weights = Weights::float16;
  const OptimizationResult result = optimize(test_runtime(), model_, bytes_, std::nullopt, options);
  EXPECT_LT(result.bytes.size(), bytes_.size() * 6 / 10);
  EXPECT_FALSE(Model::parse(result.bytes, "m").metadata().contains("andon_calibration_digest"));
}

TEST_F(Optimize, MeasuresLatencyInTurns) {
  OptimizationOptions options;
  options.latency_runs = 3;
  const OptimizationResult result = run(options);
  ASSERT_TRUE(result.report.before.latency && result.report.after.latency);
  EXPECT_EQ(result.report.before.latency->count, 3U);
  EXPECT_GT(result.report.after.latency->p50_ms, 0);
}

TEST_F(Optimize, RefusesEightBitsWithoutPicturesAndModelsWithNothingToQuantise) {
  EXPECT_THROW(static_cast<void>(optimize(test_runtime(), model_, bytes_, std::nullopt, {})),
               base::Error);
  ModelBuilder builder;
  builder.input("x", {1, 3, 32, 32});
  builder.node("Exp", {"x"}, {"y"});
  builder.output("y", {1, 3, 32, 32});
  const Model model = builder.model();
  try {
    static_cast<void>(optimize(test_runtime(), model, model.serialise(), set_, {}));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
  }
}

}  // namespace
}  // namespace andon::model
