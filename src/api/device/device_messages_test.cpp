// SPDX-License-Identifier: Apache-2.0
// What devices of both kinds send, word for word, and what they are answered.
#include "api/device/device_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"
#include "fleet/names/topic.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

const std::string kJobs = "$aws/things/dev1/jobs/";
const std::string kGet = kJobs + "$next/namespace-aws-gg-deployment/get";
const std::string kShadow = "$aws/things/dev1/shadow/name/AWSManagedGreengrassV2Deployment/";

class DeviceMessagesTest : public testing::Test, public control::ControlFixture {
 protected:
  DeviceMessagesTest() {
    add_component("com.ex.Hello", "1.0.0");
    certificate_ = enrol("dev1");
  }

  // Sends and gives the one answer: its topic without the request's, and its payload.
  std::pair<std::string, json::value> send(const std::string& topic, const std::string& payload) {
    (void)notifier().take();
    handle_device_message(control(), notifier(), clock(), topic, payload);
    for (const auto& message : notifier().take()) {
      if (message.topic.starts_with(topic)) {
        return {message.topic.substr(topic.size()), message.payload};
      }
    }
    return {"", nullptr};
  }
  static std::string update_topic(const std::string& job) {
    return kJobs + job + "/namespace-aws-gg-deployment/update";
  }

  std::string certificate_;
};

TEST_F(DeviceMessagesTest, ADeviceThatAsksGetsItsNextJobAndItsTokenBack) {
  const auto deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const auto [answer, payload] = send(
      kGet,
      R"({"jobId":"$next","thingName":"dev1","includeJobDocument":true,"clientToken":"jobs-nucleus-lite"})");
  EXPECT_EQ(answer, "/accepted");
  EXPECT_EQ(payload.at("clientToken").as_string(), "jobs-nucleus-lite");
  EXPECT_EQ(payload.at("timestamp").as_int64(), 1'795'343'912);
  EXPECT_EQ(payload.at("execution").at("jobId").as_string(), deployment.id);
  EXPECT_EQ(payload.at("execution").at("queuedAt").as_int64(), 1'795'343'912);
  EXPECT_EQ(payload.at("execution").at("jobDocument").at("deploymentId").as_string(),
            deployment.id);
}

TEST_F(DeviceMessagesTest, WhoAsksIsToldWhoseWordCountsForResults) {
  const json::value told = send(kGet, R"({"includeResultConsumers":true})").second;
  EXPECT_TRUE(told.at("resultConsumers").as_array().empty());
  // A device of AWS gets what AWS answers.
  EXPECT_FALSE(send(kGet, "{}").second.as_object().contains("resultConsumers"));
}

TEST_F(DeviceMessagesTest, WhoAsksIsToldWhereTheServerIsNow) {
  const fleet::ServerAddresses addresses{{{"new", 1}, {"new", 2}}, {{{"old", 1}, {"old", 2}}}};
  const auto ask = [&](const std::string& question, const fleet::ServerAddresses* told) {
    (void)notifier().take();
    handle_device_message(control(), notifier(), clock(), kGet, question, told);
    return fleet::parse_server_addresses(base::to_text(notifier().take().at(0).payload));
  };
  const std::string question = R"({"includeServerAddresses":true})";
  EXPECT_EQ(ask(question, &addresses), addresses);
  EXPECT_FALSE(ask(question, nullptr));
  EXPECT_FALSE(ask("{}", &addresses));
}

TEST_F(DeviceMessagesTest, EachStepOfADeviceWithAJobIsToldAndNothingElseIs) {
  const std::string job = deploy("thing/dev1", "com.ex.Hello", "1.0.0").id;
  int told = 0;
  const auto say = [&](const std::string& topic, const std::string& payload) {
    handle_device_message(control(), notifier(), clock(), topic, payload, nullptr,
                          [&told] { ++told; });
    return told;
  };
  EXPECT_EQ(say(kGet, "{}"), 0);
  EXPECT_EQ(say(update_topic(job), R"({"status":"IN_PROGRESS"})"), 1);
  EXPECT_EQ(say(update_topic(job),
                R"({"status":"IN_PROGRESS","statusDetails":{"progress":"downloading"}})"),
            2);
  EXPECT_EQ(say(update_topic(job), R"({"status":"SUCCEEDED","expectedVersion":"77"})"), 2);
  EXPECT_EQ(say(update_topic("none"), R"({"status":"SUCCEEDED"})"), 2);
  EXPECT_EQ(say(update_topic(job), "{"), 2);
  EXPECT_EQ(say(update_topic(job), R"({"status":"SUCCEEDED"})"), 3);
}

TEST_F(DeviceMessagesTest, AThingWithoutAGoodCertificateIsNotListenedTo) {
  const auto deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  control().certificates.set_status(trust::describe_certificate(certificate_).fingerprint,
                                    control::CertificateStatus::revoked);
  EXPECT_EQ(send(kGet, "{}").first, "");
  EXPECT_EQ(send(kShadow + "get", "").first, "");
  EXPECT_EQ(send(update_topic(deployment.id), R"({"status":"SUCCEEDED"})").first, "");
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, control::JobStatus::queued);
  (void)send("$aws/things/dev1/greengrassv2/health/json",
             R"({"sequenceNumber": 1, "timestamp": 1, "messageType": "COMPLETE",
                 "overallDeviceStatus": "HEALTHY"})");
  EXPECT_FALSE(control().core_devices.find("dev1"));
}

TEST_F(DeviceMessagesTest, WithoutAJobTheAnswerHasNoExecution) {
  EXPECT_EQ(send(kGet, R"({"clientToken":"a"})"),
            std::pair("/accepted" + std::string(),
                      json::value({{"timestamp", 1'795'343'912}, {"clientToken", "a"}})));
}

TEST_F(DeviceMessagesTest, AnUpdateIsAcceptedAndMovesTheDeployment) {
  const auto deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(
      send(update_topic(deployment.id),
           R"({"status":"IN_PROGRESS","clientToken":"jobs-nucleus-lite"})"),
      std::pair(std::string("/accepted"),
                json::value({{"timestamp", 1'795'343'912}, {"clientToken", "jobs-nucleus-lite"}})));
  const auto [answer, payload] =
      send(update_topic(deployment.id),
           R"({"jobId":"x","thingName":"dev1","status":"FAILED","includeJobExecutionState":true,
               "statusDetails":{"detailed-deployment-status":"FAILED_NO_STATE_CHANGE",
                                "deployment-failure-cause":"disk full"}})");
  EXPECT_EQ(answer, "/accepted");
  EXPECT_EQ(payload.at("executionState").at("status").as_string(), "FAILED");
  EXPECT_EQ(payload.at("executionState").at("versionNumber").as_int64(), 3);
  EXPECT_EQ(control().deployments.find(deployment.id)->status, control::DeploymentStatus::failed);
}

TEST_F(DeviceMessagesTest, WhatCannotBeIsRejectedWithTheCodeThatDevicesKnow) {
  const auto deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const std::string update = update_topic(deployment.id);
  struct Case {
    std::string topic;
    std::string payload;
    std::string code;
  };
  const std::vector<Case> cases{
      {update, "{", "InvalidJson"},
      {update, "[1]", "InvalidJson"},
      {update, "", "InvalidRequest"},
      {update, R"({"status": 1})", "InvalidRequest"},
      {update, R"({"status": "FAILURE"})", "InvalidRequest"},  // a slip of nucleus lite
      {update, R"({"status": "QUEUED"})", "InvalidRequest"},
      {update, R"({"status": "CANCELED"})", "InvalidRequest"},
      {update, R"({"status": "FAILED", "statusDetails": {"a": 1}})", "InvalidRequest"},
      {update, R"({"status": "FAILED", "statusDetails": {"a": ")" + std::string(5000, 'x') + "\"}}",
       "InvalidRequest"},
      {update, std::string(300'000, ' '), "InvalidRequest"},
      {update, R"({"status": "FAILED", "expectedVersion": 9})", "VersionMismatch"},
      {update_topic("none"), R"({"status": "FAILED"})", "ResourceNotFound"},
      {kJobs + "none/namespace-aws-gg-deployment/get", "{}", "ResourceNotFound"},
      {kGet, R"({"includeJobDocument": "yes"})", "InvalidRequest"},
  };
  for (const Case& one : cases) {
    const auto [answer, payload] = send(one.topic, one.payload);
    EXPECT_EQ(answer, "/rejected") << one.payload.substr(0, 100);
    EXPECT_EQ(payload.at("code").as_string(), one.code) << one.payload.substr(0, 100);
    EXPECT_FALSE(payload.at("message").as_string().empty());
  }
  report("dev1", deployment.id, control::JobStatus::succeeded);
  const auto [answer, payload] = send(update, R"({"status": "FAILED", "clientToken": "t"})");
  EXPECT_EQ(answer, "/rejected");
  EXPECT_EQ(payload.at("code").as_string(), "TerminalStateReached");
  EXPECT_EQ(payload.at("clientToken").as_string(), "t");
}

TEST_F(DeviceMessagesTest, TheShadowAnswersAnEmptyRequest) {
  EXPECT_EQ(send(kShadow + "get", "").first, "/rejected");
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const auto [answer, payload] = send(kShadow + "get", "");
  EXPECT_EQ(answer, "/accepted");
  EXPECT_EQ(payload.at("version").as_int64(), 1);
  EXPECT_EQ(send(kShadow + "get", "{}").first, "/accepted");
  const auto [refused, error] = send(kShadow + "update", "not JSON");
  EXPECT_EQ(refused, "/rejected");
  EXPECT_EQ(error.at("code").as_int64(), 400);
}

TEST_F(DeviceMessagesTest, AHealthMessageIsTakenWithoutAnAnswer) {
  const std::string topic = "$aws/things/dev1/greengrassv2/health/json";
  handle_device_message(control(), notifier(), clock(), topic,
                        R"({"sequenceNumber": 1, "timestamp": 1795343928953,
      "messageType": "COMPLETE", "trigger": "NUCLEUS_LAUNCH", "overallDeviceStatus": "HEALTHY",
      "ggcVersion": "0.1.0", "platform": "linux", "architecture": "amd64",
      "components": [{"componentName": "com.ex.Hello", "version": "1.0.0", "status": "RUNNING",
                      "isRoot": true}]})");
  EXPECT_EQ(control().core_devices.find("dev1")->status, "HEALTHY");
  handle_device_message(control(), notifier(), clock(), topic, "{");
  EXPECT_TRUE(notifier().take().empty());
}

TEST_F(DeviceMessagesTest, AThingsShadowsAreItsOwnAndADeploymentsIsNotDeleted) {
  const std::string line = "$aws/things/dev1/shadow/name/line/";
  EXPECT_EQ(send(line + "get", "").first, "/rejected");
  EXPECT_EQ(send(line + "update", R"({"state":{"reported":{"a":1}}})").first, "/accepted");
  EXPECT_EQ(send(line + "get", "").second.at("version").as_int64(), 1);
  EXPECT_EQ(send(line + "delete", "").first, "/accepted");
  EXPECT_EQ(send(kShadow + "delete", "").first, "/rejected");
}

TEST_F(DeviceMessagesTest, OtherTopicsAndAnswersOfItsOwnAreLeftAlone) {
  for (const std::string& topic :
       {std::string("$aws/things/dev1"), std::string("$aws/things/dev1/shadow/get/accepted"),
        kGet + "/accepted", std::string("dt/a/dev1/x"), std::string("$aws/things//jobs/a/b/get"),
        kShadow + "delete/accepted", kJobs + "$next/namespace-other/get"}) {
    handle_device_message(control(), notifier(), clock(), topic, "{}");
  }
  EXPECT_TRUE(notifier().take().empty());
}

TEST_F(DeviceMessagesTest, TheFiltersCoverEveryTopicThatIsUnderstood) {
  for (const std::string& topic : {kGet, update_topic("job-1"), kShadow + "get", kShadow + "update",
                                   std::string("$aws/things/dev1/shadow/delete"),
                                   std::string("$aws/things/dev1/greengrassv2/health/json")}) {
    EXPECT_TRUE(std::ranges::any_of(fleet::device_topic_filters(), [&](const std::string& filter) {
      return wire::topic_matches(filter, topic);
    })) << topic;
  }
}

}  // namespace
}  // namespace andon::api
