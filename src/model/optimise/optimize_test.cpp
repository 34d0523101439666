// SPDX-License-Identifier: Apache-2.0
#include "model/optimise/optimize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "model/graph/execution.hpp"
#include "model/optimise/inspect.hpp"
#include "model/testing/models.hpp"
#include "vision/detect/detector.hpp"
#include "vision/draw/annotate.hpp"

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
    return optimize(test_runtime(), file_, set_, options);
  }
  // Scores by how many 8-bit convolutions the model has: `cost` each.
  static Judge by_layers(double cost) {
    return {"test", [cost](const vision::ModelFile& file) {
              const Model model = Model::parse(file);
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
  vision::ModelFile file_ = vision::model_in_memory(model_.serialise(), model_.name());
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

TEST_F(Optimize, HoldsNoGateWithoutEvidenceUnlessThatIsAllowed) {
  OptimizationOptions options;
  int judged = 0;
  options.judge = {"test", [&](const vision::ModelFile& /*file*/) {
                     ++judged;
                     return Judgement{0, std::nullopt, "there is nothing to find"};
                   }};
  const OptimizationResult refused = run(options);
  EXPECT_FALSE(refused.report.gate_held);
  EXPECT_EQ(refused.report.no_evidence, "there is nothing to find");
  EXPECT_EQ(judged, 2) << "layers in float make no evidence";
  options.weights = Weights::float32;
  EXPECT_FALSE(run(options).report.gate_held);
  options.empty_verdict = EmptyVerdict::allowed;
  const OptimizationResult taken = run(options);
  EXPECT_TRUE(taken.report.gate_held);
  EXPECT_EQ(taken.report.no_evidence, "there is nothing to find");
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
  const OptimizationResult result = optimize(test_runtime(), file_, std::nullopt, options);
  EXPECT_LT(result.bytes.size(), file_.bytes.size() * 6 / 10);
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
  EXPECT_THROW(static_cast<void>(optimize(test_runtime(), file_, std::nullopt, {})), base::Error);
  ModelBuilder builder;
  builder.input("x", {1, 3, 32, 32});
  builder.node("Exp", {"x"}, {"y"});
  builder.output("y", {1, 3, 32, 32});
  const Model model = builder.model();
  try {
    static_cast<void>(optimize(test_runtime(),
                               vision::model_in_memory(model.serialise(), model.name()), set_, {}));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
  }
}

// The scale with which the picture becomes eight bits: the network's input runs from 0 to 255 of
// it.
float scale_of_the_input(const Model& model) {
  const std::string& input = model.graph().input(0).name();
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != "QuantizeLinear" || node.input(0) != input) continue;
    for (const auto& tensor : model.graph().initializer()) {
      if (tensor.name() == node.input(1)) return floats_of(tensor).at(0);
    }
  }
  ADD_FAILURE() << "the input is not quantised";
  return 0;
}

TEST_F(Optimize, CalibratesWithPicturesAsTheDescriptionHasThem) {
  EXPECT_NEAR(scale_of_the_input(Model::parse(run({}).bytes, "after")), 1.0 / 255, 0.0005);
  file_.spec.divisor = 1.0F;
  file_.spec.head = vision::HeadKind::yolov8;
  const OptimizationResult result = run({});
  EXPECT_NEAR(scale_of_the_input(Model::parse(result.bytes, "after")), 1, 0.1);
  EXPECT_EQ(result.spec.divisor, 1.0F);
  EXPECT_FALSE(result.spec.head.has_value()) << "its metadata say how it was cut";
}

// What a detector finds in noise, and whether it ran the device graph for it.
struct Found {
  std::vector<vision::Detection> detections;
  bool has_device_graph = false;
  std::vector<std::string> passed_over;
};
Found find(const vision::ModelFile& file, vision::DetectorOptions options = {}) {
  vision::Detector detector(test_runtime(), file, options);
  std::minstd_rand generator(3);
  vision::Image image{{97, 61}, {}};
  image.rgb.resize(image.row_bytes() * 61);
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(generator() >> 8U);
  return {detector.detect(image, {.confidence = 0.3F}).detections,
          detector.description().has_device_graph, detector.passed_over_providers()};
}

TEST_F(Optimize, GivesDevicesAGraphThatFindsTheSame) {
  OptimizationOptions options;
  options.head = HeadTreatment::keep;
  const OptimizationResult result = run(options);
  EXPECT_THAT(result.report.device_graph, HasSubstr("pixels as bytes"));
  const vision::ModelFile file = vision::model_in_memory(result.bytes, "m.onnx", result.spec);
  const Found device = find(file);
  const Found ordinary = find(file, {.graph = vision::DetectorOptions::Graph::ordinary});
  EXPECT_TRUE(device.has_device_graph) << testing::PrintToString(device.passed_over);
  EXPECT_FALSE(ordinary.has_device_graph);
  ASSERT_FALSE(ordinary.detections.empty());
  ASSERT_EQ(device.detections.size(), ordinary.detections.size());
  for (std::size_t i = 0; i < device.detections.size(); ++i) {
    EXPECT_EQ(device.detections[i].confidence, ordinary.detections[i].confidence);
    EXPECT_EQ(device.detections[i].box.x, ordinary.detections[i].box.x);
    EXPECT_EQ(device.detections[i].box.height, ordinary.detections[i].box.height);
  }
}

TEST_F(Optimize, LeavesAnOrdinaryModelWithTheWeightsStoredOnce) {
  const OptimizationResult result = run({});
  const vision::ModelFile file = vision::model_in_memory(result.bytes, "m.onnx");
  ASSERT_FALSE(file.device_graph.empty());
  std::size_t weights = 0;
  const Model model = Model::parse(file);
  for (const auto& node : model.graph().node()) EXPECT_EQ(node.domain(), "");
  for (const auto& tensor : model.graph().initializer()) weights += bytes_of(tensor);
  EXPECT_EQ(file.device_graph.find(model.graph().initializer(0).raw_data()), std::string::npos);
  EXPECT_LT(file.device_graph.size(), weights);
}

TEST_F(Optimize, TheModelItselfRunsWhereItsDeviceGraphDoesNotFit) {
  OptimizationOptions options;
  options.head = HeadTreatment::keep;
  const OptimizationResult result = run(options);
  vision::ModelFile file = vision::model_in_memory(result.bytes, "m.onnx", result.spec);
  // Pixels that are not taken as they are.
  vision::ModelFile other = file;
  other.spec.mean = std::array<float, 3>{0.1F, 0.1F, 0.1F};
  Found found = find(other);
  EXPECT_FALSE(found.has_device_graph);
  EXPECT_THAT(found.passed_over, testing::ElementsAre(HasSubstr("takes pixels as they are")));
  // Something that is no graph, or another.
  file.device_graph = "damaged";
  found = find(file);
  EXPECT_FALSE(found.has_device_graph);
  EXPECT_THAT(found.passed_over, testing::ElementsAre(HasSubstr("device graph: ")));
  ModelBuilder builder;
  builder.input("x", {1, 3, 32, 32});
  builder.node("Exp", {"x"}, {"y"});
  builder.output("y", {1, 3, 32, 32});
  file.device_graph = builder.bytes();
  EXPECT_FALSE(find(file).has_device_graph);
}

TEST_F(Optimize, InspectionTimesTheOperatorsThatDevicesRun) {
  const OptimizationResult result = run({});
  InspectionOptions options;
  options.runs = 2;
  const Inspection it =
      inspect(test_runtime(), vision::model_in_memory(result.bytes, "m.onnx"), options);
  EXPECT_THAT(it.times, testing::Contains(testing::Field(&OperatorTime::operation, "LutU8")));
  EXPECT_THAT(it.metadata.at("andon_device_graph"), HasSubstr("bytes in base64"));
  EXPECT_TRUE(it.operators.contains("QuantizeLinear"));  // what the model itself has
}

TEST_F(Optimize, AChangedModelHasNoDeviceGraph) {
  const OptimizationResult result = run({});
  Model changed = Model::parse(result.bytes, "m.onnx");
  EXPECT_FALSE(vision::model_in_memory(changed.serialise(), "m.onnx").device_graph.empty());
  changed.graph().mutable_node(0)->set_name("renamed");
  EXPECT_TRUE(vision::model_in_memory(changed.serialise(), "m.onnx").device_graph.empty());
}

}  // namespace
}  // namespace andon::model
