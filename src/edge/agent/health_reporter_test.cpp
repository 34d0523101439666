// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/health_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/testing/device_fixture.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

class HealthReporterTest : public DeviceFixture {
 protected:
  HealthReporterTest() {
    layout_.make();
    InstalledSet set;
    for (const char* name : {"app", "model"}) {
      InstalledComponent component = installed_component(name);
      component.is_root = name == std::string("app");
      component.wanted_by = {"thing/dev1"};
      set.components.push_back(component);
    }
    set.targets["thing/dev1"].configuration_arn = "arn:1";
    host_.activate(set, {});
    make();
  }
  void make() {
    reporter_ = std::make_unique<HealthReporter>(HealthReporter::Parts{
        loop_, link_, writer_, clock_, host_, supervisor_, refused_, "dev1", "amd64"});
  }
  void connect(bool up) {
    link_.connect(up);
    settle(loop_, writer_);
  }
  void wait(std::chrono::milliseconds time) {
    loop_clock_.advance(time);
    settle(loop_, writer_);
  }
  // The messages that went out; forgets them.
  std::vector<json::object> sent() {
    std::vector<json::object> all;
    for (const auto& one : std::exchange(link_.published, {})) {
      EXPECT_EQ(one.message.topic, "$aws/things/dev1/greengrassv2/health/json");
      all.push_back(base::parse_json(one.message.payload, "health").as_object());
    }
    return all;
  }

  FakeMqttLink link_;
  ProcessJournal processes_{layout_.processes()};
  Supervisor supervisor_{loop_, processes_, host_, [](const std::string&) {}};
  RefusedTopics refused_{link_, "dev1", {[](const std::string&) {}, [](const std::string&) {}}};
  std::unique_ptr<HealthReporter> reporter_;
};

TEST_F(HealthReporterTest, TellsAllAtTheFirstConnectionAndAtEachLaterOne) {
  connect(true);
  std::vector<json::object> messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "NUCLEUS_LAUNCH");
  EXPECT_EQ(messages[0].at("messageType"), "COMPLETE");
  EXPECT_EQ(messages[0].at("overallDeviceStatus"), "HEALTHY");
  EXPECT_EQ(messages[0].at("sequenceNumber"), 1);
  ASSERT_EQ(messages[0].at("components").as_array().size(), 2U);
  const json::object& app = messages[0].at("components").as_array()[0].as_object();
  EXPECT_EQ(app.at("componentName"), "app");
  EXPECT_EQ(app.at("isRoot"), true);
  EXPECT_EQ(app.at("status"), "NEW");
  EXPECT_EQ(app.at("fleetConfigArns"), (json::array{"arn:1"}));
  connect(false);
  connect(true);
  messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "RECONNECT");
  EXPECT_EQ(messages[0].at("sequenceNumber"), 2);
}

TEST_F(HealthReporterTest, ANoteIsToldWithItsOwnCode) {
  host_.take_note("app", {NoteCode::logs_not_sent, "logs wait: no route"});
  connect(true);
  const auto messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  const json::array& components = messages[0].at("components").as_array();
  const json::object& told = components.at(0).as_object().at("componentStatusDetails").as_object();
  EXPECT_EQ(told.at("statusCodes"), json::array{"LOGS_NOT_SENT"});
  EXPECT_EQ(told.at("statusReason"), "logs wait: no route");
  EXPECT_FALSE(components.at(1).as_object().contains("componentStatusDetails"));
}

TEST_F(HealthReporterTest, OfARefusalAndAnotherNoteTheOtherIsTold) {
  const auto note = [this] { return note_about("app", nullptr, host_, refused_); };
  EXPECT_EQ(note().text, "");
  refused_.published_by("app", "plant/a");
  link_.arrive(fleet::DeviceTopics("dev1").publish_refused(), R"({"topic": "plant/a"})");
  EXPECT_EQ(note().code, NoteCode::publish_refused);
  EXPECT_THAT(note().text, testing::EndsWith("plant/a"));
  host_.take_note("app", {NoteCode::configuration_not_used, "x is none"});
  EXPECT_EQ(note(), (ComponentNote{NoteCode::configuration_not_used, "x is none"}));
  host_.take_note("app", {});
  EXPECT_EQ(note().code, NoteCode::publish_refused);
}

TEST_F(HealthReporterTest, WhatADiskWithoutRoomKeptBackIsToldWhenThereIsRoom) {
  const auto execute = [this](std::string_view sql) {
    database_->write([&](store::Transaction& transaction) { transaction.execute(sql); });
  };
  execute("ALTER TABLE counters RENAME TO away");
  connect(true);
  EXPECT_TRUE(sent().empty());
  execute("ALTER TABLE away RENAME TO counters");
  wait(std::chrono::seconds{5});
  const auto messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "NUCLEUS_LAUNCH");
}

TEST_F(HealthReporterTest, TheSequenceRisesOverRestarts) {
  connect(true);
  reporter_.reset();
  link_.forget_listeners();
  make();
  connect(true);
  EXPECT_EQ(sent().at(0).at("sequenceNumber"), 2);
}

TEST_F(HealthReporterTest, ChangesWithinAShortTimeGoOutTogetherAndNameOnlyWhatChanged) {
  connect(true);
  sent();
  reporter_->component_changed("app", false);
  wait(std::chrono::milliseconds{199});
  EXPECT_TRUE(sent().empty());
  reporter_->component_changed("app", false);
  wait(std::chrono::milliseconds{1});
  const std::vector<json::object> messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "COMPONENT_STATUS_CHANGE");
  EXPECT_EQ(messages[0].at("messageType"), "PARTIAL");
  EXPECT_EQ(messages[0].at("components").as_array().size(), 1U);
}

TEST_F(HealthReporterTest, DuringADeploymentOnlyItsEndIsTold) {
  connect(true);
  sent();
  reporter_->component_changed("app", true);
  wait(std::chrono::seconds(1));
  EXPECT_TRUE(sent().empty());
  fleet::DeploymentHealth health;
  health.deployment_id = "d1";
  health.configuration_arn = "arn:aws:greengrass:r:0:configuration:thinggroup/G:1";
  health.outcome.status = fleet::JobStatus::failed;
  health.outcome.details.failure_cause = "why";
  reporter_->deployment_ended(health);
  settle(loop_, writer_);
  const std::vector<json::object> messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "THING_GROUP_DEPLOYMENT");
  const json::object& told = messages[0].at("deploymentInformation").as_object();
  EXPECT_EQ(told.at("deploymentId"), "d1");
  EXPECT_EQ(told.at("statusDetails").as_object().at("failureCause"), "why");
}

TEST_F(HealthReporterTest, IsHeardOnceADayAndNotOffline) {
  wait(std::chrono::hours(24));
  EXPECT_TRUE(sent().empty());
  connect(true);
  sent();
  wait(std::chrono::hours(24));
  const std::vector<json::object> messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].at("trigger"), "CADENCE");
}

TEST_F(HealthReporterTest, AComponentWhoseTopicIsRefusedSaysWhich) {
  connect(true);
  sent();
  refused_.published_by("app", "plant/stop");
  const fleet::DeviceTopics topics("dev1");
  link_.arrive(topics.publish_refused(), R"({"topic":"plant/stop"})");
  reporter_->component_changed("app", false);
  wait(std::chrono::milliseconds{200});
  std::vector<json::object> messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  const std::string told = base::to_text(messages[0]);
  EXPECT_NE(told.find("PUBLISH_REFUSED"), std::string::npos) << told;
  EXPECT_NE(told.find("plant/stop"), std::string::npos) << told;
  link_.arrive(topics.policy_changed(), "{}");
  reporter_->component_changed("app", false);
  wait(std::chrono::milliseconds{200});
  messages = sent();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(base::to_text(messages[0]).find("PUBLISH_REFUSED"), std::string::npos);
}

}  // namespace
}  // namespace andon::edge
