// SPDX-License-Identifier: Apache-2.0
#include "edge/telemetry/telemetry_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using fleet::Figure;
using std::chrono::seconds;

class TelemetryReporterTest : public testing::Test {
 protected:
  // Turns the clock on until that many messages have gone out.
  [[nodiscard]] bool has_sent(std::size_t count) {
    return run_fast_until(loop_, loop_clock_, [&] { return link_.published.size() >= count; });
  }
  // What happens at once, and within `time`.
  void wait(seconds time) {
    loop_clock_.advance(time);
    (void)loop_.run_until([] { return false; }, std::chrono::milliseconds{20});
  }

  base::TemporaryDirectory directory_;
  base::FakeClock clock_;
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  FakeMqttLink link_;
  TelemetryReporter reporter_{
      {loop_, link_, clock_, {.disk = directory_.path()}, "dev1", [](fleet::Figures& figures) {
         at(figures, Figure::spool_bytes) = 7;
       }}};
};

TEST_F(TelemetryReporterTest, TellsAfterAConnectionAndThenOnceAMinute) {
  link_.connect(true);
  ASSERT_TRUE(has_sent(1));
  EXPECT_EQ(link_.published[0].message.topic, "$aws/things/dev1/greengrass/health/json");
  const auto points = fleet::parse_telemetry_message(link_.published[0].message.payload);
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].time, clock_.now());
  EXPECT_EQ(at(points[0].figures, Figure::spool_bytes), 7);
  EXPECT_GT(at(points[0].figures, Figure::disk_size).value_or(0), 0);
  const auto before = loop_clock_.now();
  ASSERT_TRUE(has_sent(2));
  EXPECT_GE(loop_clock_.now() - before, seconds{60});
  EXPECT_LT(loop_clock_.now() - before, seconds{90});
}

TEST_F(TelemetryReporterTest, SaysNothingWithoutAConnection) {
  wait(seconds{600});
  EXPECT_TRUE(link_.published.empty());
  link_.connect(true);
  ASSERT_TRUE(has_sent(1));
  link_.connect(false);
  for (int i = 0; i < 3; ++i) wait(seconds{600});
  EXPECT_EQ(link_.published.size(), 1U);
  link_.connect(true);
  EXPECT_TRUE(has_sent(2));
}

TEST_F(TelemetryReporterTest, TheConfigurationSaysHowOftenAndWhetherAtAll) {
  link_.connect(true);
  ASSERT_TRUE(has_sent(1));
  reporter_.configure({.interval = std::nullopt});
  for (int i = 0; i < 3; ++i) wait(seconds{600});
  EXPECT_EQ(link_.published.size(), 1U);
  reporter_.configure({.interval = seconds{3600}});
  ASSERT_TRUE(has_sent(2));
  wait(seconds{600});
  EXPECT_EQ(link_.published.size(), 2U);
}

TEST(TelemetrySettings, AreGreengrassOwn) {
  const auto read = [](const char* text) {
    const json::value value = base::parse_json(text, "configuration");
    return read_telemetry_settings(&value.as_object());
  };
  EXPECT_EQ(read_telemetry_settings(nullptr).interval, seconds{60});
  EXPECT_EQ(read("{}").interval, seconds{60});
  EXPECT_EQ(read(R"({"telemetry": {"periodicPublishMetricsIntervalSeconds": 3600}})").interval,
            seconds{3600});
  EXPECT_FALSE(read(R"({"telemetry": {"enabled": false}})").interval);
  EXPECT_TRUE(read(R"({"telemetry": {"enabled": true}})").problems.empty());
  EXPECT_EQ(read(R"({"telemetry": {"periodicPublishMetricsIntervalSeconds": "90"}})").interval,
            seconds{90});
  for (const char* wrong : {R"({"telemetry": 1})", R"({"telemetry": {"enabled": "no"}})",
                            R"({"telemetry": {"periodicPublishMetricsIntervalSeconds": 9}})",
                            R"({"telemetry": {"periodicPublishMetricsIntervalSeconds": 1e300}})",
                            R"({"telemetry": {"periodicPublishMetricsIntervalSeconds": "x"}})"}) {
    EXPECT_EQ(read(wrong).interval, seconds{60}) << wrong;
    EXPECT_THAT(read(wrong).problems, testing::ElementsAre(testing::HasSubstr("telemetry")))
        << wrong;
  }
}

}  // namespace
}  // namespace andon::edge
