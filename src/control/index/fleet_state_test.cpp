// SPDX-License-Identifier: Apache-2.0
#include "control/index/fleet_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/index/deployment_progress.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;

class FleetStateTest : public testing::Test, public ControlFixture {
 protected:
  FleetStateTest() {
    add_component("com.ex.Hello", "1.0.0");
    add_component("com.ex.Hello", "1.1.0");
    add_component("com.ex.More", "2.0.0");
    control().things.create_group("G", "", "", {});
    for (const char* name : {"dev1", "dev2", "dev3"}) control().things.create(name, {});
    for (const char* name : {"dev1", "dev2"}) control().things.add_to_group(name, "G");
  }

  void say(const std::string& thing, const std::map<std::string, std::string>& components,
           const std::string& health = "HEALTHY") {
    json::array all;
    for (const auto& [name, version] : components) {
      all.push_back(json::object{
          {"componentName", name}, {"version", version}, {"isRoot", true}, {"status", "RUNNING"}});
    }
    (void)control().core_devices.take_health(
        thing, base::to_text(json::object{{"ggcVersion", "0.1.0"},
                                          {"platform", "linux"},
                                          {"architecture", "amd64"},
                                          {"thing", thing},
                                          {"sequenceNumber", ++sequence_},
                                          {"timestamp", base::to_epoch_millis(clock().now())},
                                          {"messageType", "COMPLETE"},
                                          {"trigger", "CADENCE"},
                                          {"overallDeviceStatus", health},
                                          {"components", std::move(all)}}));
  }
  void connection(const std::string& thing, const std::string& event) {
    control().core_devices.note_presence(R"({"clientId":")" + thing + R"(","principalName":")" +
                                         thing + R"(","eventType":")" + event + R"("})");
  }
  ThingState state(const std::string& thing) {
    for (auto& one : fleet_.list({}, {}).items) {
      if (one.thing == thing) return one;
    }
    ADD_FAILURE() << thing << " is not there";
    return {};
  }
  std::vector<std::string> outdated(const std::string& thing) {
    std::vector<std::string> all;
    for (const auto& one : state(thing).outdated) {
      all.push_back(one.name + " " + (one.installed.empty() ? "-" : one.installed) + " > " +
                    one.wanted);
    }
    return all;
  }
  std::vector<std::string> names(const ThingStateFilter& filter, std::size_t limit = 50) {
    std::vector<std::string> all;
    PageRequest page{.limit = limit, .after = {}};
    while (true) {
      const auto found = fleet_.list(filter, page);
      for (const auto& one : found.items) all.push_back(one.thing);
      if (!found.next) return all;
      page.after = *found.next;
    }
  }

  std::int64_t sequence_ = 0;
  FleetState fleet_{database(), clock(), Arns()};
};

TEST_F(FleetStateTest, AThingIsNeverSeenThereOrGone) {
  EXPECT_EQ(state("dev1").presence, Presence::never);
  EXPECT_FALSE(state("dev1").last_seen);
  const auto begun = clock().now();
  connection("dev1", "connected");
  say("dev1", {});
  EXPECT_EQ(state("dev1").presence, Presence::healthy);
  // It says how it is once a day; that it is connected counts until then.
  clock().advance(std::chrono::hours(20));
  EXPECT_EQ(state("dev1").last_seen, clock().now());
  say("dev1", {}, "UNHEALTHY");
  EXPECT_EQ(state("dev1").presence, Presence::unhealthy);
  connection("dev1", "disconnected");
  const auto left = clock().now();
  clock().advance(std::chrono::hours(1));
  EXPECT_EQ(state("dev1").presence, Presence::gone);
  EXPECT_EQ(state("dev1").last_seen, left);
  EXPECT_GT(left, begun);
}

TEST_F(FleetStateTest, AServersRestartSaysNothingAboutWhenADeviceLeft) {
  connection("dev1", "connected");
  say("dev1", {});
  const auto said = clock().now();
  clock().advance(std::chrono::hours(1));
  control().core_devices.forget_presence();
  EXPECT_EQ(state("dev1").presence, Presence::gone);
  EXPECT_EQ(state("dev1").last_seen, said);
}

TEST_F(FleetStateTest, ADeviceWithoutAConnectionOfItsNameIsAsItSays) {
  say("dev1", {});
  EXPECT_EQ(state("dev1").presence, Presence::healthy);
  EXPECT_EQ(state("dev1").last_seen, clock().now());
}

TEST_F(FleetStateTest, WhatItsDeploymentsAskForAndItLacksIsNamed) {
  say("dev1", {{"com.ex.Hello", "1.0.0"}});
  say("dev2", {{"com.ex.Hello", "1.1.0"}});
  EXPECT_THAT(outdated("dev1"), ElementsAre());
  const Deployment of_group = deploy("thinggroup/G", "com.ex.Hello", "1.1.0");
  EXPECT_THAT(outdated("dev1"), ElementsAre("com.ex.Hello 1.0.0 > 1.1.0"));
  EXPECT_THAT(outdated("dev2"), ElementsAre());
  EXPECT_THAT(outdated("dev3"), ElementsAre());
  clock().advance(std::chrono::seconds(1));
  (void)deploy("thing/dev1", "com.ex.More", "2.0.0");
  EXPECT_THAT(outdated("dev1"), ElementsAre("com.ex.Hello 1.0.0 > 1.1.0", "com.ex.More - > 2.0.0"));
  ASSERT_EQ(state("dev1").deployments.size(), 2U);
  EXPECT_EQ(state("dev1").deployments.front().target_arn, Arns().thing("dev1"));
  EXPECT_EQ(state("dev1").deployments.front().status, JobStatus::queued);
  control().deployments.cancel(of_group.id);
  EXPECT_THAT(outdated("dev1"), ElementsAre("com.ex.More - > 2.0.0"));
}

TEST_F(FleetStateTest, IsListedByGroupAndByWhatIsInstalledInPages) {
  say("dev1", {{"com.ex.Hello", "1.0.0"}});
  say("dev3", {{"com.ex.Hello", "1.1.0"}});
  for (const std::size_t limit : {1U, 2U, 50U}) {
    EXPECT_THAT(names({}, limit), ElementsAre("dev1", "dev2", "dev3"));
    EXPECT_THAT(names({.group = "G"}, limit), ElementsAre("dev1", "dev2"));
    EXPECT_THAT(names({.component = "com.ex.Hello"}, limit), ElementsAre("dev1", "dev3"));
    EXPECT_THAT(names({.component = "com.ex.Hello", .component_version = "1.1.0"}, limit),
                ElementsAre("dev3"));
    EXPECT_THAT(names({.group = "G", .component = "com.ex.More"}, limit), ElementsAre());
  }
  const auto found = fleet_.list({.component = "com.ex.Hello"}, {});
  EXPECT_EQ(found.items.front().component_version, "1.0.0");
  EXPECT_EQ(found.items.front().component_state, "RUNNING");
  EXPECT_THROW((void)fleet_.list({.group = "H"}, {}), base::Error);
}

TEST_F(FleetStateTest, HowFarADeviceIsStandsBesideItUntilItHasEnded) {
  const Deployment one = deploy("thinggroup/G", "com.ex.Hello", "1.1.0");
  const fleet::DeploymentProgress progress{
      .step = "downloading", .component = "com.ex.Hello", .bytes = 5, .of_bytes = 12, .reason = {}};
  report("dev2", one.id, JobStatus::in_progress, to_job_details(progress));
  const auto found = progress_of(database(), one.id, {.thing = "dev2"}, {});
  ASSERT_EQ(found.items.size(), 1U);
  EXPECT_EQ(found.items.front().progress, progress);
  EXPECT_TRUE(
      progress_of(database(), one.id, {.thing = "dev1"}, {}).items.front().progress.step.empty());
  report("dev2", one.id, JobStatus::succeeded, to_job_details(progress));
  EXPECT_TRUE(
      progress_of(database(), one.id, {.thing = "dev2"}, {}).items.front().progress.step.empty());
}

TEST_F(FleetStateTest, ADeploymentsDevicesAreCountedAndListedInPages) {
  const Deployment one = deploy("thinggroup/G", "com.ex.Hello", "1.1.0");
  report("dev1", one.id, JobStatus::in_progress);
  report("dev1", one.id, JobStatus::succeeded);
  EXPECT_EQ(progress_tally(database(), one.id),
            (std::map<JobStatus, std::int64_t>{{JobStatus::queued, 1}, {JobStatus::succeeded, 1}}));
  const auto first = progress_of(database(), one.id, {}, {.limit = 1, .after = {}});
  EXPECT_EQ(first.items.at(0).thing, "dev1");
  EXPECT_EQ(first.next, "dev1");
  const auto queued = progress_of(database(), one.id, {.status = JobStatus::queued}, {});
  ASSERT_EQ(queued.items.size(), 1U);
  EXPECT_EQ(queued.items.front().thing, "dev2");
  control().deployments.cancel(one.id);
  EXPECT_EQ(progress_of(database(), one.id, {.status = JobStatus::canceled}, {}).items.size(), 1U);
  EXPECT_EQ(progress_tally(database(), one.id)[JobStatus::canceled], 1);
}

}  // namespace
}  // namespace andon::control
