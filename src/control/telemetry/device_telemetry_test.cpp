// SPDX-License-Identifier: Apache-2.0
#include "control/telemetry/device_telemetry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using fleet::Figure;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class DeviceTelemetryTest : public testing::Test, public ControlFixture {
 protected:
  DeviceTelemetryTest() {
    clock().advance(minutes{1} -
                    std::chrono::milliseconds{base::to_epoch_millis(clock().now()) % 60'000});
    control().things.create("dev1", {});
    control().things.create("dev2", {});
  }

  DeviceTelemetry& telemetry() { return control().telemetry; }

  void tell(const std::string& thing, double cpu, std::optional<double> disk_free = {}) {
    fleet::TelemetryPoint point{.time = clock().now()};
    at(point.figures, Figure::cpu_percent) = cpu;
    at(point.figures, Figure::disk_free) = disk_free;
    telemetry().take(thing, base::to_text(fleet::to_telemetry_message(point)));
    telemetry().write();
  }
  std::vector<double> cpu(const std::string& thing, TelemetryPeriod period) {
    std::vector<double> values;
    for (const auto& point : telemetry().read(
             {.thing = thing, .from = {}, .until = clock().now() + days{1}, .period = period})) {
      values.push_back(at(point.figures, Figure::cpu_percent).value_or(-1));
    }
    return values;
  }
  std::int64_t rows() {
    return database().read([](store::Transaction& tx) {
      return tx.query_one("SELECT count(*) FROM device_figures", {})->integer(0);
    });
  }
  void sweep() {
    while (telemetry().remove_old(100) > 0) {
    }
  }
};

TEST_F(DeviceTelemetryTest, APointAMinuteIsKeptAndTheHourIsTheirAverage) {
  for (const double value : {10.0, 20.0, 60.0}) {
    tell("dev1", value);
    clock().advance(minutes{1});
  }
  tell("dev2", 99);
  EXPECT_THAT(cpu("dev1", TelemetryPeriod::minute), testing::ElementsAre(10, 20, 60));
  const auto by_hour = cpu("dev1", TelemetryPeriod::hour);
  ASSERT_FALSE(by_hour.empty());
  if (by_hour.size() == 1) {
    EXPECT_DOUBLE_EQ(by_hour[0], 30);
  }
  EXPECT_THAT(cpu("dev2", TelemetryPeriod::minute), testing::ElementsAre(99));
  restart();
  EXPECT_THAT(cpu("dev1", TelemetryPeriod::minute), testing::ElementsAre(10, 20, 60));
}

TEST_F(DeviceTelemetryTest, ADeviceThatSpeaksAllTheTimeHasOneRowAMinute) {
  for (int i = 0; i < 50; ++i) {
    tell("dev1", i);
    clock().advance(seconds{1});
  }
  EXPECT_THAT(cpu("dev1", TelemetryPeriod::minute), testing::ElementsAre(49));
  EXPECT_EQ(rows(), 2);
}

TEST_F(DeviceTelemetryTest, TheDevicesClockIsNotBelievedButHowFarItsPointsAreApart) {
  telemetry().take("dev1", R"({"Schema": "2022-06-30", "ADP": [
    {"TS": 9000000000000, "NS": "SystemMetrics", "M": [{"N": "CpuUsage", "Average": 2}]},
    {"TS": 8999996400000, "NS": "SystemMetrics", "M": [{"N": "CpuUsage", "Average": 1}]},
    {"TS": -9223372036854775808, "NS": "SystemMetrics", "M": [{"N": "CpuUsage", "Average": 0}]}]})");
  telemetry().write();
  const auto points = telemetry().read({.thing = "dev1",
                                        .from = {},
                                        .until = clock().now() + hours{1},
                                        .period = TelemetryPeriod::minute});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].time, clock().now() - hours{1});
  EXPECT_EQ(points[1].time, clock().now());
  EXPECT_EQ(at(telemetry().latest("dev1")->figures, Figure::cpu_percent), 2);
}

TEST_F(DeviceTelemetryTest, MinutesGoAfterADayAndHoursAfterThirty) {
  tell("dev1", 1);
  clock().advance(hours{23});
  sweep();
  EXPECT_EQ(cpu("dev1", TelemetryPeriod::minute).size(), 1U);
  clock().advance(hours{2});
  sweep();
  EXPECT_TRUE(cpu("dev1", TelemetryPeriod::minute).empty());
  EXPECT_EQ(cpu("dev1", TelemetryPeriod::hour).size(), 1U);
  EXPECT_EQ(rows(), 1);
  clock().advance(days{30});
  sweep();
  EXPECT_EQ(rows(), 0);
}

TEST_F(DeviceTelemetryTest, WhereVeryManyDevicesSpeakMinutesAreKeptForLess) {
  tell("dev1", 1);
  database().write([&](store::Transaction& tx) {
    for (std::int64_t i = 0; i < 3 * DeviceTelemetry::kThingsInFull; ++i) {
      const std::string name = "many" + std::to_string(i);
      tx.execute(
          "INSERT INTO things (name, id, attributes, type_name, version, created_ms) "
          "SELECT $1, $1, attributes, type_name, version, created_ms FROM things WHERE "
          "name = 'dev1'",
          {name});
      tx.execute("INSERT INTO device_figures_latest (thing, at_ms, figures) VALUES ($1, 0, '')",
                 {name});
    }
  });
  clock().advance(hours{9});
  sweep();
  EXPECT_TRUE(cpu("dev1", TelemetryPeriod::minute).empty());
  EXPECT_EQ(cpu("dev1", TelemetryPeriod::hour).size(), 1U);
}

TEST_F(DeviceTelemetryTest, WhatADeviceDoesNotKnowStaysUnknownAlsoInTheAverage) {
  tell("dev1", 1);
  clock().advance(seconds{60});
  tell("dev1", 1, 500);
  const auto latest = telemetry().latest("dev1");
  ASSERT_TRUE(latest);
  EXPECT_EQ(at(latest->figures, Figure::disk_free), 500);
  EXPECT_FALSE(at(latest->figures, Figure::temperature));
}

TEST_F(DeviceTelemetryTest, FiguresGoWithTheirThingAndOfNoThingNothingIsKept) {
  tell("dev1", 1);
  tell("nobody", 1);
  EXPECT_EQ(rows(), 2);
  EXPECT_EQ(telemetry().latest_of_all(10).size(), 1U);
  control().things.remove("dev1");
  EXPECT_EQ(rows(), 0);
  EXPECT_FALSE(telemetry().latest("dev1"));
  EXPECT_THROW(telemetry().take("dev2", "{\"ADP\": 1}"), base::Error);
}

}  // namespace
}  // namespace andon::control
