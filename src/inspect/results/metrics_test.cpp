// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "inspect/results/metrics_server.hpp"
#include "wire/http/http_client.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

void fill(Metrics& metrics) {
  Inspection inspection;
  inspection.inference = vision::Milliseconds(20);
  inspection.detections = {{{}, "scratch"}, {{}, "a \"deep\"\nde\\nt"}, {{}, "scratch"}};
  metrics.count_frame(inspection);
  inspection.error = base::Error(base::ErrorCode::data_corrupted, "torn");
  metrics.count_frame(inspection);
  metrics.count_source({.dropped = 3, .incomplete = 2, .reconnects = 1});
  metrics.count_upload("between", true);
  metrics.count_upload("between", false);
  metrics.set_model({"Model", "1.0.0"}, "ab");
  metrics.set_model({"Model", "1.1.0"}, "cd");
}

TEST(Metrics, CountFramesStagesClassesDropsAndUploads) {
  Metrics metrics;
  fill(metrics);
  const std::string text = metrics.text();
  for (const char* line :
       {"andon_inspect_stage_seconds_bucket{stage=\"inference\",le=\"0.01\"} 0\n",
        "andon_inspect_stage_seconds_bucket{stage=\"inference\",le=\"0.025\"} 1\n",
        "andon_inspect_stage_seconds_bucket{stage=\"inference\",le=\"+Inf\"} 1\n",
        "andon_inspect_stage_seconds_sum{stage=\"inference\"} 0.02\n",
        "andon_inspect_stage_seconds_count{stage=\"inference\"} 1\n",
        "andon_inspect_frames_total{outcome=\"ok\"} 1\n",
        "andon_inspect_frames_total{outcome=\"error\"} 1\n",
        "andon_inspect_frames_dropped_total 3\n", "andon_inspect_frames_incomplete_total 2\n",
        "andon_inspect_source_reconnects_total 1\n",
        "andon_inspect_detections_total{class=\"scratch\"} 2\n",
        "andon_inspect_detections_total{class=\"a \\\"deep\\\"\\nde\\\\nt\"} 1\n",
        "andon_inspect_uploads_total{reason=\"between\",outcome=\"kept\"} 1\n",
        "andon_inspect_model_changes_total 1\n",
        "andon_inspect_model_info{component=\"Model\",version=\"1.1.0\",sha256=\"cd\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, AreTextAsPrometheusReadsIt) {
  Metrics metrics;
  fill(metrics);
  // The grammar of the text exposition format 0.0.4, as far as it is used.
  const std::regex comment("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
  const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*",?)+\})? ([0-9.eE+-]+|\+Inf|NaN))re");
  std::istringstream lines(metrics.text());
  std::set<std::string> seen;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[1] == "TYPE") continue;
      family = match[2];
      EXPECT_TRUE(seen.insert("# " + family).second) << family << " is there twice";
      continue;
    }
    ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
    EXPECT_THAT(match[1].str(), StartsWith(family));
    EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line << " is there twice";
  }
}

TEST(MetricsServer, AnswersAScrape) {
  MetricsServer server("127.0.0.1:0", [] { return std::string("one 1\n"); });
  wire::HttpClient client({});
  const auto answer = client.send(
      {.method = "GET", .url = "http://127.0.0.1:" + std::to_string(server.port()) + "/metrics"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "one 1\n");
  EXPECT_EQ(answer.headers.find("content-type"), "text/plain; version=0.0.4; charset=utf-8");
}

TEST(MetricsServer, RefusesWhatIsNotAScrape) {
  const auto page = [] { return std::string("one 1\n"); };
  EXPECT_EQ(answer_metrics({.method = "GET", .path = "/"}, page).status, 404);
  EXPECT_EQ(answer_metrics({.method = "POST", .path = "/metrics"}, page).status, 405);
  EXPECT_EQ(answer_metrics({.method = "GET", .path = "/metrics"}, page).body, "one 1\n");
}

TEST(MetricsServer, SaysWhatIsWrongWithItsAddress) {
  EXPECT_THROW(MetricsServer("here:9100", [] { return std::string(); }), base::Error);
}

}  // namespace
}  // namespace andon::inspect
