// SPDX-License-Identifier: Apache-2.0
#include "wire/otlp/otlp_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/json/json.hpp"
#include "base/metrics/metrics_page.hpp"

namespace andon::wire {
namespace {

namespace json = base::json;
using testing::HasSubstr;

const OtlpAttributes kResource{{"service.name", "andon-server"}};
constexpr base::Timestamp kNow = base::Timestamp(std::chrono::milliseconds(1'790'000'000'123));

// The value at a pointer (RFC 6901), as text.
std::string at(const std::string& document, std::string_view pointer) {
  const json::value value = base::parse_json(document, "request");
  const json::value* const found = base::find_pointer(value, pointer);
  return found == nullptr ? "(absent)" : base::to_text(*found);
}

TEST(OtlpMessage, WritesLogRecordsByScope) {
  const std::array records{OtlpLogRecord{.time = kNow,
                                         .severity = OtlpSeverity::warning,
                                         .scope = "andon.log",
                                         .body = "a \"line\" that \xff is no UTF-8",
                                         .attributes = {{"peer", "10.0.0.1"}}},
                           OtlpLogRecord{.time = kNow, .scope = "andon.audit", .body = "{}"},
                           OtlpLogRecord{.time = kNow, .scope = "andon.log", .body = "two"}};
  const std::string text = to_otlp_logs(kResource, records);
  EXPECT_EQ(at(text, "/resourceLogs/0/resource/attributes/0"),
            R"({"key":"service.name","value":{"stringValue":"andon-server"}})");
  EXPECT_EQ(at(text, "/resourceLogs/0/scopeLogs/0/scope/name"), R"("andon.audit")");
  EXPECT_EQ(at(text, "/resourceLogs/0/scopeLogs/1/logRecords/1/body/stringValue"), R"("two")");
  const std::string first = "/resourceLogs/0/scopeLogs/1/logRecords/0";
  EXPECT_EQ(at(text, first + "/timeUnixNano"), R"("1790000000123000000")");
  EXPECT_EQ(at(text, first + "/severityNumber"), "13");
  EXPECT_EQ(at(text, first + "/severityText"), R"("WARN")");
  EXPECT_EQ(at(text, first + "/body/stringValue"),
            "\"a \\\"line\\\" that \xEF\xBF\xBD is no UTF-8\"");
  EXPECT_EQ(at(text, first + "/attributes/0/value/stringValue"), R"("10.0.0.1")");
}

TEST(OtlpMessage, WritesCountersGaugesAndHistogramsOfAPage) {
  base::MetricsPage page;
  page.start("andon_lines_total", "counter", "Lines.");
  page.sample("andon_lines_total", R"(outcome="written",why="a \"b\\c\nd")", 7);
  page.single("andon_things", "gauge", "Things.", 2.5);
  page.start("andon_nothing", "gauge", "It has no samples.");
  constexpr std::array kBounds{0.1, 1.0};
  base::Histogram histogram(kBounds);
  for (const double value : {0.05, 0.5, 0.6, 7.0}) histogram.observe(value);
  page.start("andon_commit_seconds", "histogram", "Commits.");
  page.histogram("andon_commit_seconds", R"(disk="one")", histogram);

  const std::string text =
      to_otlp_metrics(kResource, page.take(), kNow - std::chrono::seconds(1), kNow);
  const std::string metrics = "/resourceMetrics/0/scopeMetrics/0/metrics";
  EXPECT_EQ(at(text, metrics + "/0/name"), R"("andon_lines_total")");
  EXPECT_EQ(at(text, metrics + "/0/sum/isMonotonic"), "true");
  EXPECT_EQ(at(text, metrics + "/0/sum/aggregationTemporality"), "2");
  EXPECT_EQ(at(text, metrics + "/0/sum/dataPoints/0/asDouble"), "7.0");
  EXPECT_EQ(at(text, metrics + "/0/sum/dataPoints/0/startTimeUnixNano"),
            R"("1789999999123000000")");
  EXPECT_EQ(at(text, metrics + "/0/sum/dataPoints/0/attributes/1/value/stringValue"),
            R"("a \"b\\c\nd")");
  EXPECT_EQ(at(text, metrics + "/1/gauge/dataPoints/0/asDouble"), "2.5");
  EXPECT_EQ(at(text, metrics + "/1/gauge/dataPoints/0/startTimeUnixNano"), "(absent)");
  EXPECT_EQ(at(text, metrics + "/2/name"), R"("andon_commit_seconds")");
  const std::string point = metrics + "/2/histogram/dataPoints/0";
  EXPECT_EQ(at(text, point + "/bucketCounts"), R"(["1","2","1"])");
  EXPECT_EQ(at(text, point + "/explicitBounds"), "[0.1,1.0]");
  EXPECT_EQ(at(text, point + "/count"), R"("4")");
  EXPECT_EQ(at(text, point + "/sum"), "8.15");
  EXPECT_EQ(at(text, point + "/attributes/0/key"), R"("disk")");
  EXPECT_EQ(at(text, metrics + "/3"), "(absent)");
}

TEST(OtlpMessage, ReadsWhatTheCollectorSays) {
  using Outcome = OtlpAnswer::Outcome;
  const auto read = [](int status, Headers headers, std::string body) {
    return read_otlp_answer(
        {.status = status, .headers = std::move(headers), .body = std::move(body)});
  };
  EXPECT_EQ(read(200, {}, "{}").rejected, 0U);
  const OtlpAnswer partial = read(
      200, {}, R"({"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old"}})");
  EXPECT_EQ(partial.outcome, Outcome::taken);
  EXPECT_EQ(partial.rejected, 3U);
  EXPECT_EQ(partial.reason, "too old");
  for (const char* body : {"", "[", "[]", "{\"partialSuccess\": 7}",
                           "{\"partialSuccess\": {\"rejectedLogRecords\": {}}}"}) {
    EXPECT_EQ(read(200, {}, body).outcome, Outcome::taken) << body;
    EXPECT_EQ(read(200, {}, body).rejected, 0U) << body;
  }
  EXPECT_EQ(read(503, {{"Retry-After", "7"}}, "").wait, std::chrono::seconds(7));
  EXPECT_EQ(read(429, {{"Retry-After", "99999"}}, "").wait, std::chrono::seconds(300));
  EXPECT_EQ(read(504, {{"Retry-After", "Fri"}}, "").outcome, Outcome::again);
  const OtlpAnswer refused = read(401, {}, std::string(1000, 'x'));
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_THAT(refused.reason, HasSubstr("401: xxx"));
  EXPECT_LT(refused.reason.size(), 400U);
}

}  // namespace
}  // namespace andon::wire
