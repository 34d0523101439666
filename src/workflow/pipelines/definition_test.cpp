// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/definition.hpp"

#include <gmock/gmock.h>

#include "asl/definition/validator.hpp"
#include "base/error/error.hpp"
#include "workflow/pipelines/expressions.hpp"
#include "workflow/pipelines/translation.hpp"

namespace andon::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kPipeline = R"({
  "Version": "2020-12-01",
  "Parameters": [{"Name": "Least", "Type": "Float", "DefaultValue": 0.5}],
  "Steps": [
    {"Name": "Prep", "Type": "Processing", "Arguments": {}},
    {"Name": "Other", "Type": "Processing", "Arguments": {}},
    {"Name": "Train", "Type": "Training", "RetryPolicies": [
       {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 60, "BackoffRate": 2,
        "ExpireAfterMin": 10}],
     "Arguments": {"In": {"Get": "Steps.Prep.ProcessingJobName"}}},
    {"Name": "Check", "Type": "Condition", "Arguments": {
      "Conditions": [{"Type": "LessThan", "LeftValue": {"Get": "Parameters.Least"},
                      "RightValue": 1}],
      "IfSteps": [{"Name": "Reg", "Type": "RegisterModel",
                   "Arguments": {"Url": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}}],
      "ElseSteps": []}}
  ]})";

std::string refusal(const std::string& text) {
  try {
    (void)parse_pipeline(text);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "it was taken";
}

TEST(PipelineDefinition, OrdersStepsByWhatTheyReferTo) {
  const PipelineDefinition pipeline = parse_pipeline(kPipeline);
  std::vector<std::vector<std::string>> names;
  for (const auto& group : in_order(pipeline.steps)) {
    names.emplace_back();
    for (const PipelineStep* step : group) names.back().push_back(step->name);
  }
  EXPECT_THAT(
      names, ElementsAre(ElementsAre("Prep", "Other"), ElementsAre("Train"), ElementsAre("Check")));
  ASSERT_NE(pipeline.find("Reg"), nullptr);
  // 60 + 120 + 240 s are within 10 minutes, another 480 are not.
  EXPECT_EQ(pipeline.find("Train")->retries.at(0).attempts, 3);
}

TEST(PipelineDefinition, BecomesAStateMachineThatTheLanguageTakes) {
  const PipelineDefinition pipeline = parse_pipeline(kPipeline);
  for (const auto most : {std::optional<std::size_t>(), std::optional<std::size_t>(1)}) {
    const json::object machine = to_state_machine(pipeline, "p", most);
    const auto read = asl::read_definition(base::to_text(machine), {});
    EXPECT_TRUE(read.machine) << base::to_pretty_text(machine);
    const json::object& states = machine.at("States").as_object();
    EXPECT_EQ(states.contains("Together 1"), !most.has_value());
    EXPECT_EQ(states.at("Check holds").as_object().at("Default"), "Done 1");
  }
}

TEST(PipelineDefinition, AStepInsideABranchIsNotSeenFromOutside) {
  const std::string text = std::string(kPipeline.substr(0, kPipeline.rfind(']'))) +
                           R"(, {"Name": "Late", "Type": "Training",
                               "Arguments": {"X": {"Get": "Steps.Reg.ModelPackageArn"}}}]})";
  EXPECT_THAT(refusal(text), HasSubstr("'Reg'"));
}

TEST(PipelineDefinition, ParametersAreTypedAndChecked) {
  const PipelineDefinition pipeline = parse_pipeline(kPipeline);
  EXPECT_EQ(parameter_values(pipeline, {}).at("Least"), 0.5);
  EXPECT_EQ(parameter_values(pipeline, {{"Least", "0.25"}}).at("Least"), 0.25);
  EXPECT_THROW((void)parameter_values(pipeline, {{"Least", "much"}}), base::Error);
  EXPECT_THROW((void)parameter_values(pipeline, {{"Most", "1"}}), base::Error);
}

ExpressionScope scope() {
  return {
      .parameter = [](const std::string& name) { return json::value("P:" + name); },
      .execution = [](const std::string& name) { return json::value("E:" + name); },
      .properties =
          [](const std::string&) {
            return base::parse_json(R"({"A": {"List": [{"OutputName": "x y", "V": 7}]}})",
                                    "properties");
          },
      .file = [](const std::string&,
                 const std::string&) { return base::parse_json(R"({"m": [0.5, 0.75]})", "f"); }};
}

json::value evaluated(std::string_view text) {
  return evaluate(base::parse_json(text, "an expression"), scope());
}

TEST(PipelineExpressions, AreReplacedByWhatTheyStandFor) {
  EXPECT_EQ(evaluated(R"({"Get": "Steps.S.A.List['x y'].V"})"), 7);
  EXPECT_EQ(evaluated(R"({"Get": "Steps.S.A.List[0].V"})"), 7);
  EXPECT_EQ(
      evaluated(R"({"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.B"}, 3]}})"),
      "s3://P:B/3");
  EXPECT_EQ(evaluated(R"([{"k": {"Get": "Execution.PipelineName"}}])"),
            base::parse_json(R"([{"k": "E:PipelineName"}])", "expected"));
  EXPECT_EQ(evaluated(R"({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.S.PropertyFiles.F"},
                          "Path": "m[1]"}})"),
            0.75);
  EXPECT_THROW((void)evaluated(R"({"Get": "Steps.S.Nothing"})"), base::Error);
}

bool holds_all(const std::string& conditions) {
  return holds(base::parse_json(conditions, "conditions").as_array(), scope());
}

TEST(PipelineExpressions, EveryKindOfConditionHoldsOrDoesNot) {
  EXPECT_TRUE(holds_all(R"([{"Type": "Equals", "LeftValue": 1, "RightValue": 1.0}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "Equals", "LeftValue": "1", "RightValue": 1}])"));
  EXPECT_FALSE(holds_all(R"([{"Type": "Equals", "LeftValue": "a", "RightValue": "b"}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "GreaterThan", "LeftValue": 2, "RightValue": 1}])"));
  EXPECT_FALSE(holds_all(R"([{"Type": "GreaterThan", "LeftValue": 1, "RightValue": 1}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "GreaterThanOrEqualTo", "LeftValue": 1, "RightValue": 1}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "LessThan", "LeftValue": "a", "RightValue": "b"}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "LessThanOrEqualTo", "LeftValue": 1, "RightValue": 1}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}])"));
  EXPECT_FALSE(holds_all(R"([{"Type": "Not", "Expression":
                           {"Type": "In", "QueryValue": 1, "Values": [1]}}])"));
  EXPECT_TRUE(holds_all(R"([{"Type": "Or", "Conditions": [
                          {"Type": "Equals", "LeftValue": 1, "RightValue": 2},
                          {"Type": "Equals", "LeftValue": 2, "RightValue": 2}]}])"));
  EXPECT_THROW((void)holds_all(R"([{"Type": "LessThan", "LeftValue": [], "RightValue": 1}])"),
               base::Error);
}

}  // namespace
}  // namespace andon::workflow
