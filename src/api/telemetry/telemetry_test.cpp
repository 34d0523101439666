// SPDX-License-Identifier: Apache-2.0
#include "api/telemetry/telemetry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "control/results/results.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::ErrorCode;
using fleet::Figure;

class TelemetryOperationsTest : public testing::Test, public control::ControlFixture {
 protected:
  TelemetryOperationsTest() {
    control().things.create("line-1", {});
    (void)results_.newest_id();
  }
  json::object call(std::string_view name, const json::object& input) {
    const auto found = std::ranges::find(operations_, name, &Operation::name);
    const Caller caller{"AKIA", "operator", "000000000000", "us-east-1"};
    return found->handler({caller, input}).as_object();
  }
  ErrorCode refused(const json::object& input) {
    try {
      (void)call("GetDeviceMetrics", input);
    } catch (const base::Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "it was taken";
    return ErrorCode::internal;
  }
  void tell(double cpu, double disk_free) {
    fleet::TelemetryPoint point{.time = clock().now()};
    at(point.figures, Figure::cpu_percent) = cpu;
    at(point.figures, Figure::disk_free) = disk_free;
    at(point.figures, Figure::disk_size) = 1000;
    control().telemetry.take("line-1", base::to_text(fleet::to_telemetry_message(point)));
    control().telemetry.write();
  }

  base::TemporaryDirectory results_directory_;
  std::unique_ptr<store::Database> results_database_ =
      store::open_sqlite(results_directory_.path() / "results.db");
  control::Results results_{*results_database_, clock(), {}};
  control::Alarms alarms_{{.database = database(),
                           .results = *results_database_,
                           .outbox = control().outbox,
                           .telemetry = control().telemetry,
                           .clock = clock(),
                           .disk = [] { return std::optional<control::DiskRoom>(); }}};
  std::vector<Operation> operations_ = telemetry_operations({.telemetry = control().telemetry,
                                                             .alarms = alarms_,
                                                             .things = control().things,
                                                             .clock = clock()});
};

TEST_F(TelemetryOperationsTest, OfADayTheyAreByTheMinuteAndOfLongerByTheHour) {
  tell(10, 500);
  clock().advance(std::chrono::minutes{1});
  tell(30, 500);
  const json::object minutes = call("GetDeviceMetrics", {{"thing", "line-1"}});
  EXPECT_EQ(minutes.at("period"), 60);
  ASSERT_EQ(minutes.at("points").as_array().size(), 2U);
  EXPECT_EQ(minutes.at("points").at(0).at("cpuPercent").to_number<double>(), 10);
  EXPECT_EQ(minutes.at("latest").at("cpuPercent").to_number<double>(), 30);
  EXPECT_FALSE(minutes.at("latest").as_object().contains("temperatureCelsius"));
  const json::object hours = call(
      "GetDeviceMetrics",
      {{"thing", "line-1"}, {"from", base::to_iso8601(clock().now() - std::chrono::hours{100})}});
  EXPECT_EQ(hours.at("period"), 3600);
  EXPECT_FALSE(hours.at("points").as_array().empty());
}

TEST_F(TelemetryOperationsTest, OfADeviceThatHasSaidNothingThereAreNoPoints) {
  const json::object none = call("GetDeviceMetrics", {{"thing", "line-1"}});
  EXPECT_TRUE(none.at("points").as_array().empty());
  EXPECT_FALSE(none.contains("latest"));
}

TEST_F(TelemetryOperationsTest, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(refused({{"thing", "nobody"}}), ErrorCode::not_found);
  EXPECT_EQ(refused({{"thing", "line-1"}, {"period", "61"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refused({{"thing", "line-1"}, {"from", "yesterday"}}), ErrorCode::invalid_argument);
}

TEST_F(TelemetryOperationsTest, AlarmsAreListedOfAllOrOfOneDevice) {
  EXPECT_TRUE(call("ListAlarms", {}).at("alarms").as_array().empty());
  tell(10, 50);
  alarms_.check();
  const json::object alarms = call("ListAlarms", {{"thing", "line-1"}});
  ASSERT_EQ(alarms.at("alarms").as_array().size(), 1U);
  EXPECT_EQ(alarms.at("alarms").at(0).at("alarm"), "DEVICE_DISK");
  EXPECT_EQ(alarms.at("alarms").at(0).at("thing"), "line-1");
  EXPECT_EQ(alarms.at("alarms").at(0).at("freePercent").to_number<double>(), 5);
  EXPECT_TRUE(call("ListAlarms", {{"thing", "line-2"}}).at("alarms").as_array().empty());
}

}  // namespace
}  // namespace andon::api
