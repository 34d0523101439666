// SPDX-License-Identifier: Apache-2.0
// Pages of the least that there can be; tests/integration has those of real models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/page/comparison_report.hpp"
#include "report/page/evaluation_report.hpp"
#include "report/page/optimization_page.hpp"

namespace andon::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(EvaluationPage, StandsWithoutPicturesAndObjects) {
  evaluate::Dataset dataset;
  dataset.categories = {{1, "scratch"}};
  const std::vector<evaluate::Findings> findings;
  const EvaluationReport report{.tool = "andon",
                                .runtime = {},
                                .model = std::nullopt,
                                .findings_file = "results.json",
                                .labels_file = "labels.json",
                                .dataset = dataset,
                                .findings = findings,
                                .precision = evaluate::average_precision(dataset, findings),
                                .point = evaluate::working_point(dataset, findings)};
  EXPECT_THAT(to_html(report, {}), AllOf(HasSubstr("results.json"), HasSubstr("</html>")));
  EXPECT_TRUE(to_json(report).at("averagePrecision").at("mAP50_95").is_null());
  EXPECT_THAT(to_text(report), HasSubstr("all"));
}

TEST(ComparisonPage, HasNoAccuracyWithoutLabels) {
  ComparisonReport report;
  report.models[0].facts.name = "a.onnx";
  report.models[1].facts.name = "b.onnx";
  EXPECT_FALSE(report.map_drop());
  EXPECT_THAT(to_html(report), AllOf(HasSubstr("b.onnx against a.onnx"), Not(HasSubstr("mAP"))));
  EXPECT_FALSE(to_json(report).contains("mAPDrop"));
}

TEST(ComparisonPage, SaysOfEachFindingOnceWhoFoundIt) {
  evaluate::Agreement agreement;
  agreement.left = 90;
  agreement.right = 91;
  agreement.paired = 92;
  agreement.both = 86;
  agreement.alone = 3;
  EXPECT_EQ(
      counts_in_words(agreement),
      "86 were found by both, 6 by one while the other's score of it is below, 3 by one alone");
  agreement.paired = agreement.both;
  EXPECT_EQ(counts_in_words(agreement), "86 were found by both, 3 by one alone");
  const Differences differences{
      .labels = {}, .files = {}, .detections = {}, .agreement = agreement};
  EXPECT_THAT(summary(differences), AllOf(HasSubstr("A found 90, B 91. Of these 86 were found"),
                                          Not(HasSubstr("are the same"))));
}

TEST(OptimizationPage, SaysThatTheGateDidNotHold) {
  model::OptimizationReport report;
  report.model_name = "a<b>.onnx";
  report.measure = "mAP50-95";
  report.before.bytes = 1'000'000;
  report.after.bytes = 300'000;
  report.before.score = 0.5;
  report.after.score = 0.4;
  report.drop = 0.1;
  report.max_drop = 0.01;
  report.sensitivities = {{"/conv", "Conv", 0.5, true}};
  report.in_float = {{"/a", "Concat", "decodes boxes"}, {"/b", "Conv", "decodes boxes"}};
  EXPECT_THAT(to_html(report, nullptr),
              AllOf(HasSubstr("not held"), HasSubstr("x0.30"), HasSubstr("decodes boxes (2)"),
                    HasSubstr("left in float"), HasSubstr("a&lt;b&gt;.onnx")));
}

TEST(OptimizationPage, StandsWithoutAnything) {
  EXPECT_THAT(to_html(model::OptimizationReport{}, nullptr), HasSubstr("</html>"));
}

}  // namespace
}  // namespace andon::report
