// SPDX-License-Identifier: Apache-2.0
#include "control/devices/core_devices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/devices/fleet_figures.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/own_events.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;

class CoreDevicesTest : public testing::Test, public ControlFixture {
 protected:
  CoreDevicesTest() { control().things.create("dev1", {}); }

  struct Message {
    int sequence = 1;
    std::string kind = "PARTIAL";
    std::string trigger = "COMPONENT_STATUS_CHANGE";
    std::vector<std::pair<std::string, std::string>> components;  // name and state
    std::string status = "HEALTHY";
    int second = 0;  // of the device's clock
    int chunk = 0;   // 0: not in chunks
    std::string more;
  };

  HealthOutcome take(const Message& message) {
    json::array components;
    for (const auto& [name, state] : message.components) {
      components.emplace_back(json::object{
          {"componentName", name}, {"version", "1.0.0"}, {"isRoot", true}, {"status", state}});
    }
    json::object payload{{"ggcVersion", "0.1.0"},
                         {"platform", "linux"},
                         {"architecture", "amd64"},
                         {"thing", "dev1"},
                         {"sequenceNumber", message.sequence},
                         {"timestamp", 1'795'343'912'000 + message.second * std::int64_t{1000}},
                         {"messageType", message.kind},
                         {"trigger", message.trigger},
                         {"overallDeviceStatus", message.status},
                         {"components", std::move(components)}};
    if (message.chunk > 0) payload["chunkInfo"] = {{"chunkId", message.chunk}, {"totalChunks", 2}};
    return control().core_devices.take_health("dev1", base::to_text(payload));
  }

  std::vector<std::string> installed() {
    std::vector<std::string> all;
    for (const auto& one : control().core_devices.installed("dev1", Topology::all, {}).items) {
      all.push_back(one.name + " " + one.lifecycle_state);
    }
    return all;
  }

  void tell_presence(const std::string& client_id, const std::string& event) {
    control().core_devices.note_presence(R"({"clientId":")" + client_id +
                                         R"(","principalName":"dev1","eventType":")" + event +
                                         R"("})");
  }
  // What the event bus is told of devices.
  std::vector<std::string> told() {
    constexpr std::size_t kMost = 100;
    std::vector<std::string> all;
    const auto batch = database().read(
        [](store::Transaction& tx) { return Outbox::read(tx, kEventConsumer, kMost); });
    for (const OutboxEntry& entry : batch.entries) {
      if (entry.kind != kDeviceEvent) continue;
      const json::value details = base::parse_json(entry.payload, "details");
      all.push_back(std::string(details.at("clientId").as_string()) + " " +
                    std::string(details.at("state").as_string()));
    }
    return all;
  }
};

TEST_F(CoreDevicesTest, ASecondConnectionThatComesAndGoesBesideItsOwnSaysNothingOfTheDevice) {
  tell_presence("dev1", "connected");
  tell_presence("dev1#camera", "connected");
  tell_presence("dev1#camera", "disconnected");
  EXPECT_THAT(told(), ElementsAre("dev1 connected"));
  tell_presence("dev1", "disconnected");
  EXPECT_THAT(told(), ElementsAre("dev1 connected", "dev1 gone"));
}

TEST_F(CoreDevicesTest, ADeviceWithoutAConnectionOfItsNameComesAndGoesWithThoseThatItHas) {
  tell_presence("dev1#camera", "connected");
  tell_presence("dev1#camera", "disconnected");
  EXPECT_THAT(told(), ElementsAre("dev1#camera connected", "dev1#camera gone"));
}

TEST_F(CoreDevicesTest, APartialMessageUpdatesAndACompleteOneReplaces) {
  take({.sequence = 1, .kind = "COMPLETE", .components = {{"a", "RUNNING"}, {"b", "RUNNING"}}});
  take({.sequence = 2, .components = {{"b", "BROKEN"}, {"c", "FINISHED"}}, .status = "UNHEALTHY"});
  EXPECT_THAT(installed(), ElementsAre("a RUNNING", "b BROKEN", "c FINISHED"));
  EXPECT_EQ(control().core_devices.find("dev1")->status, "UNHEALTHY");
  take({.sequence = 3, .kind = "COMPLETE", .components = {{"c", "FINISHED"}}});
  EXPECT_THAT(installed(), ElementsAre("c FINISHED"));
  EXPECT_EQ(control().core_devices.find("dev1")->status, "HEALTHY");
  take({.sequence = 4, .components = {{"c", "UNINSTALLED"}}});
  EXPECT_THAT(installed(), ElementsAre());
}

TEST_F(CoreDevicesTest, ALateOrRepeatedMessageChangesNothing) {
  EXPECT_EQ(take({.sequence = 5, .components = {{"a", "RUNNING"}}}), HealthOutcome::taken);
  EXPECT_EQ(take({.sequence = 5, .components = {{"a", "BROKEN"}}}), HealthOutcome::stale);
  EXPECT_EQ(take({.sequence = 4, .kind = "COMPLETE"}), HealthOutcome::stale);
  EXPECT_THAT(installed(), ElementsAre("a RUNNING"));
}

TEST_F(CoreDevicesTest, ADeviceThatWasInstalledAnewCountsFromOneAgain) {
  take({.sequence = 50, .components = {{"a", "RUNNING"}}});
  const Message launch{.sequence = 1,
                       .kind = "COMPLETE",
                       .trigger = "NUCLEUS_LAUNCH",
                       .components = {{"b", "RUNNING"}},
                       .second = 10};
  EXPECT_EQ(take(launch), HealthOutcome::taken);
  EXPECT_EQ(take(launch), HealthOutcome::stale);  // the same once more
  EXPECT_EQ(take({.sequence = 2, .components = {{"c", "RUNNING"}}, .second = 11}),
            HealthOutcome::taken);
  EXPECT_THAT(installed(), ElementsAre("b RUNNING", "c RUNNING"));
}

TEST_F(CoreDevicesTest, ADeviceWhoseClockRanTenYearsAheadIsHeardWhenItIsRightAgain) {
  constexpr int kTenYears = 10 * 365 * 86400;
  EXPECT_EQ(take({.sequence = 50, .components = {{"a", "RUNNING"}}, .second = kTenYears}),
            HealthOutcome::taken);
  const Message launch{.sequence = 1,
                       .kind = "COMPLETE",
                       .trigger = "NUCLEUS_LAUNCH",
                       .components = {{"b", "RUNNING"}},
                       .second = 10};
  EXPECT_EQ(take(launch), HealthOutcome::taken);
  EXPECT_EQ(take(launch), HealthOutcome::stale);
  EXPECT_THAT(installed(), ElementsAre("b RUNNING"));
}

TEST_F(CoreDevicesTest, TheChunksOfOneMessageAddUp) {
  take({.sequence = 1, .kind = "COMPLETE", .components = {{"old", "RUNNING"}}});
  take({.sequence = 2, .kind = "COMPLETE", .components = {{"a", "RUNNING"}}, .chunk = 1});
  take({.sequence = 2, .kind = "COMPLETE", .components = {{"b", "RUNNING"}}, .chunk = 2});
  EXPECT_EQ(take({.sequence = 2, .kind = "COMPLETE", .components = {}, .chunk = 2}),
            HealthOutcome::stale);
  EXPECT_THAT(installed(), ElementsAre("a RUNNING", "b RUNNING"));
}

TEST_F(CoreDevicesTest, TheTimeOfTheLastChangeIsNotThatOfTheLastReport) {
  take({.sequence = 1, .kind = "COMPLETE", .components = {{"a", "RUNNING"}}});
  const base::Timestamp changed = clock().now();
  clock().advance(std::chrono::hours(1));
  take({.sequence = 2, .kind = "COMPLETE", .components = {{"a", "RUNNING"}}});
  const auto component = control().core_devices.installed("dev1", Topology::root, {}).items.at(0);
  EXPECT_EQ(component.last_status_change, changed);
  EXPECT_EQ(component.last_reported, clock().now());
}

TEST_F(CoreDevicesTest, MalformedMessagesAreRefusedByMember) {
  struct Case {
    std::string payload;
    std::string message;
  };
  const std::string good = R"("sequenceNumber": 1, "timestamp": 1, "messageType": "COMPLETE", )"
                           R"("overallDeviceStatus": "HEALTHY")";
  for (const Case& one : {
           Case{"", ""},
           Case{"[]", "must be an object"},
           Case{"{}", "overallDeviceStatus"},
           Case{R"({"overallDeviceStatus": "FINE"})", "overallDeviceStatus"},
           Case{R"({"overallDeviceStatus": "HEALTHY"})", "sequenceNumber"},
           Case{"{" + good + R"(, "components": {}})", "components"},
           Case{"{" + good + R"(, "components": [1]})", "components[0]"},
           Case{"{" + good + R"(, "components": [{"componentName": "a", "status": "HAPPY"}]})",
                "components[0].status"},
       }) {
    try {
      (void)control().core_devices.take_health("dev1", one.payload);
      ADD_FAILURE() << one.payload << " was taken";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), testing::HasSubstr(one.message)) << one.payload;
    }
  }
  EXPECT_FALSE(control().core_devices.find("dev1"));
}

TEST_F(CoreDevicesTest, AThingThatIsNotRegisteredCannotReport) {
  EXPECT_THROW(
      (void)control().core_devices.take_health("stranger", R"({"sequenceNumber": 1, "timestamp": 1,
                   "messageType": "COMPLETE", "overallDeviceStatus": "HEALTHY"})"),
      base::Error);
}

TEST_F(CoreDevicesTest, AHealthMessageExplainsAFailureThatTheJobDidNot) {
  const Deployment deployment = control().deployments.create({{"targetArn", Arns().thing("dev1")}});
  report("dev1", deployment.id, JobStatus::failed);
  (void)control().core_devices.take_health(
      "dev1", R"({"sequenceNumber": 1, "timestamp": 1, "messageType": "PARTIAL",
                  "overallDeviceStatus": "HEALTHY", "trigger": "THING_DEPLOYMENT",
                  "deploymentInformation": {"status": "FAILED", "deploymentId": ")" +
                  deployment.id + R"(", "statusDetails": {
                  "detailedStatus": "FAILED_NO_STATE_CHANGE", "failureCause": "disk full",
                  "errorStack": ["DISK_SPACE_CRITICAL"], "errorTypes": ["DEVICE_ERROR"]}}})");
  const auto effective = control().jobs.effective_deployments("dev1", {}).items.at(0);
  EXPECT_EQ(effective.reason, "FAILED_NO_STATE_CHANGE: disk full");
  EXPECT_THAT(effective.error_stack, ElementsAre("DISK_SPACE_CRITICAL"));
  EXPECT_THAT(effective.error_types, ElementsAre("DEVICE_ERROR"));
}

TEST_F(CoreDevicesTest, DevicesAreListedByGroupAndStatus) {
  control().things.create_group("G", "", "", {});
  control().things.add_to_group("dev1", "G");
  take({});
  const auto names = [&](const CoreDeviceFilter& filter) {
    std::vector<std::string> all;
    for (const auto& device : control().core_devices.list(filter, {}).items) {
      all.push_back(device.thing);
    }
    return all;
  };
  EXPECT_THAT(names({}), ElementsAre("dev1"));
  EXPECT_THAT(names({"G", "HEALTHY", ""}), ElementsAre("dev1"));
  EXPECT_THAT(names({"", "UNHEALTHY", ""}), ElementsAre());
  EXPECT_THROW((void)names({"none", "", ""}), base::Error);
  EXPECT_TRUE(control().core_devices.remove("dev1"));
  EXPECT_FALSE(control().core_devices.remove("dev1"));
}

TEST_F(CoreDevicesTest, TheFleetInNumbers) {
  control().things.create("dev2", {});
  FleetFigures figures = fleet_figures(database(), clock().now());
  EXPECT_EQ(figures.things, 2);
  EXPECT_EQ(figures.devices,
            (std::map<std::string, std::int64_t>{{"HEALTHY", 0}, {"UNHEALTHY", 0}}));
  EXPECT_EQ(figures.jobs.at("FAILED"), 0);
  take({.sequence = 1, .kind = "COMPLETE", .status = "UNHEALTHY"});
  figures = fleet_figures(database(), clock().now() + std::chrono::hours(23));
  EXPECT_EQ(figures.devices.at("UNHEALTHY"), 1);
  EXPECT_EQ(figures.silent, 0);
  EXPECT_EQ(fleet_figures(database(), clock().now() + std::chrono::hours(25)).silent, 1);
}

}  // namespace
}  // namespace andon::control
