// SPDX-License-Identifier: Apache-2.0
#include "fleet/names/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::fleet {
namespace {

TEST(DeviceTopics, AreThoseOfAwsIotWordForWord) {
  const DeviceTopics topics("dev1");
  const std::string prefix = "$aws/things/dev1/";
  EXPECT_EQ(topics.get_job(), prefix + "jobs/$next/namespace-aws-gg-deployment/get");
  EXPECT_EQ(topics.update_job("j1"), prefix + "jobs/j1/namespace-aws-gg-deployment/update");
  EXPECT_EQ(topics.notify_jobs(), prefix + "jobs/notify-namespace-aws-gg-deployment");
  EXPECT_EQ(topics.notify_next_job(), prefix + "jobs/notify-next-namespace-aws-gg-deployment");
  EXPECT_EQ(topics.next_job_answers(), prefix + "jobs/$next/namespace-aws-gg-deployment/get/+");
  EXPECT_EQ(topics.update_answers(), prefix + "jobs/+/namespace-aws-gg-deployment/update/+");
  EXPECT_EQ(topics.get_shadow(), prefix + "shadow/name/AWSManagedGreengrassV2Deployment/get");
  EXPECT_EQ(topics.update_shadow(), prefix + "shadow/name/AWSManagedGreengrassV2Deployment/update");
  EXPECT_EQ(topics.health(), prefix + "greengrassv2/health/json");
  EXPECT_EQ(topics.telemetry(), prefix + "greengrass/health/json");
}

TEST(DeviceTopics, WhatADevicePublishesToIsReadBack) {
  const DeviceTopics topics("Line:1");
  const auto expect = [](const std::string& topic, DeviceMessage message, std::string_view job) {
    const auto read = parse_device_topic(topic);
    ASSERT_TRUE(read) << topic;
    EXPECT_EQ(read->message, message) << topic;
    EXPECT_EQ(read->thing, "Line:1") << topic;
    EXPECT_EQ(read->job_id, job) << topic;
  };
  expect(topics.get_job(), DeviceMessage::get_job, "$next");
  expect(topics.get_job("j1"), DeviceMessage::get_job, "j1");
  expect(topics.update_job("j1"), DeviceMessage::update_job, "j1");
  expect(topics.get_shadow(), DeviceMessage::get_shadow, "");
  expect(topics.update_shadow(), DeviceMessage::update_shadow, "");
  expect(topics.health(), DeviceMessage::health, "");
  expect(topics.telemetry(), DeviceMessage::telemetry, "");
}

TEST(DeviceTopics, EveryOtherTopicIsLeftAlone) {
  for (const char* topic :
       {"", "$aws/things/", "$aws/things/dev1", "$aws/things//greengrassv2/health/json",
        "$aws/things/d.v/greengrassv2/health/json", "$aws/things/dev1/greengrassv2/health/json/x",
        "$aws/things/dev1/jobs/j1/namespace-aws-gg-deployment/get/accepted",
        "$aws/things/dev1/jobs//namespace-aws-gg-deployment/get", "$aws/things/dev1/jobs/j1/x/get",
        "$aws/things/dev1/jobs/notify-next-namespace-aws-gg-deployment",
        "$aws/things/dev1/shadow/name//get", "$aws/things/dev1/shadow/name/a/b/get",
        "$aws/things/dev1/shadow/get/accepted", "$aws/things/dev1/shadow/name/get",
        "andon/things/dev1/results"}) {
    EXPECT_FALSE(parse_device_topic(topic)) << topic;
  }
}

TEST(DeviceTopics, AnswersComeOnTheRequestsTopic) {
  const std::string topic = DeviceTopics("dev1").get_job();
  EXPECT_EQ(answer_topic(topic, Answer::rejected), topic + "/rejected");
  EXPECT_TRUE(is_accepted(answer_topic(topic, Answer::accepted)));
  EXPECT_FALSE(is_accepted(answer_topic(topic, Answer::rejected)));
}

TEST(DeviceTopics, WhatTheServerSaysIsKnown) {
  const DeviceTopics topics("dev1");
  for (const std::string& topic :
       {topics.notify_jobs(), topics.notify_next_job(), topics.get_job() + "/accepted",
        topics.update_job("j1") + "/rejected", topics.get_shadow() + "/accepted",
        shadow_topic("dev1", "") + "/update/delta",
        shadow_topic("dev1", "line") + "/update/documents"}) {
    EXPECT_TRUE(is_servers_topic(topic)) << topic;
  }
  for (const std::string& topic :
       {topics.get_job(), topics.health(), topics.results(), std::string("dt/app/dev1/accepted")}) {
    EXPECT_FALSE(is_servers_topic(topic)) << topic;
  }
}

TEST(DeviceTopics, JobsInNoNamespaceAreOfAnotherKindThanDeployments) {
  const DeviceTopics topics("dev1");
  const auto read = [](const std::string& topic) { return *parse_device_topic(topic); };
  EXPECT_EQ(read(topics.get_plain_job("j1")).kind, JobKind::plain);
  EXPECT_EQ(read(topics.get_plain_job("j1")).job_id, "j1");
  EXPECT_EQ(read(topics.get_plain_job()).job_id, kNextJob);
  EXPECT_EQ(read(topics.update_plain_job("j1")).message, DeviceMessage::update_job);
  EXPECT_EQ(read(topics.get_job("j1")).kind, JobKind::deployment);
  EXPECT_EQ(read(topics.get_pending_jobs()).message, DeviceMessage::get_pending_jobs);
  EXPECT_EQ(read(topics.start_next_job()).message, DeviceMessage::start_next_job);
}

TEST(DeviceTopics, TheServerSubscribesToWhatItReads) {
  EXPECT_THAT(
      device_topic_filters(),
      testing::ElementsAre(
          "$aws/things/+/jobs/+/namespace-aws-gg-deployment/get",
          "$aws/things/+/jobs/+/namespace-aws-gg-deployment/update", "$aws/things/+/jobs/+/get",
          "$aws/things/+/jobs/+/update", "$aws/things/+/jobs/get", "$aws/things/+/jobs/start-next",
          "$aws/things/+/greengrassv2/health/json", "$aws/things/+/greengrass/health/json",
          "$aws/things/+/shadow/get", "$aws/things/+/shadow/update", "$aws/things/+/shadow/delete",
          "$aws/things/+/shadow/name/+/get", "$aws/things/+/shadow/name/+/update",
          "$aws/things/+/shadow/name/+/delete"));
}

TEST(DeviceTopics, OfAShadowTheyNameTheThingTheShadowAndWhatIsWanted) {
  const auto classic = parse_device_topic("$aws/things/dev1/shadow/update");
  ASSERT_TRUE(classic);
  EXPECT_EQ(classic->message, DeviceMessage::update_shadow);
  EXPECT_EQ(classic->shadow, "");
  const auto named = parse_device_topic(shadow_topic("dev1", "line:1_a-b") + "/delete");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->message, DeviceMessage::delete_shadow);
  EXPECT_EQ(named->thing, "dev1");
  EXPECT_EQ(named->shadow, "line:1_a-b");
  EXPECT_FALSE(is_shadow_name("a/b"));
  EXPECT_FALSE(is_shadow_name(std::string(65, 'a')));
}

TEST(DeviceTopics, UsersPublishBesideWhatDevicesAndServerSayToEachOther) {
  for (const char* topic :
       {"plant/line-1", "dt/app/dev1/x", "cmd/app/dev1/x", "$aws/things/dev1/shadow/update",
        "$aws/things/dev1/shadow/name/line/get", "$aws/rules/one/plant/line-1"}) {
    EXPECT_TRUE(is_users_topic(topic)) << topic;
  }
  for (const char* topic :
       {"$aws/things/dev1/jobs/notify-next-namespace-aws-gg-deployment", "$SYS/broker/uptime",
        "$aws/things/dev1/shadow/update/accepted", "andon/things/dev1/results",
        "cmd/andon/dev1/stored/erp", "$aws/things/dev1/greengrassv2/health/json",
        "$aws/things/dev1/shadow/name/AWSManagedGreengrassV2Deployment/update"}) {
    EXPECT_FALSE(is_users_topic(topic)) << topic;
  }
}

TEST(DeviceTopics, OfCommandsAreToldApart) {
  const std::string id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
  const DeviceTopics topics("line:1");
  EXPECT_EQ(topics.command("ask"), "cmd/andon/line:1/commands/ask");
  EXPECT_EQ(topics.command_answers(id), "andon/things/line:1/commands/" + id);
  const auto read = parse_command_answers(topics.command_answers(id));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->thing, "line:1");
  EXPECT_EQ(read->command_id, id);
  for (const std::string& other :
       {topics.results(), topics.command_answers(id) + "/x", topics.command_answers("x"),
        topics.command("ask"), "andon/things//commands/" + id}) {
    EXPECT_FALSE(parse_command_answers(other)) << other;
  }
  EXPECT_TRUE(is_command_topic(topics.command("ask")));
  EXPECT_TRUE(is_command_topic(topics.command_answers("x")));
  EXPECT_FALSE(is_command_topic(topics.results()));
  EXPECT_FALSE(is_command_topic(topics.stored_by("server")));
  EXPECT_FALSE(is_command_topic("andon/things/commands"));
}

}  // namespace
}  // namespace andon::fleet
