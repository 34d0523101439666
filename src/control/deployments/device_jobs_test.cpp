// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/device_jobs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeviceJobsTest : public testing::Test, public ControlFixture {
 protected:
  DeviceJobsTest() {
    add_component("com.ex.Hello", "1.0.0");
    control().things.create("dev1", {});
    for (const auto* group : {"G1", "G2"}) {
      control().things.create_group(group, "", "", {});
      control().things.add_to_group("dev1", group);
    }
  }

  std::vector<std::string> topics() {
    std::vector<std::string> all;
    for (const auto& message : notifier().take()) all.push_back(message.topic);
    return all;
  }
};

TEST_F(DeviceJobsTest, WhatIsInProgressComesFirstThenTheLongestQueued) {
  const Deployment first = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  clock().advance(std::chrono::seconds(1));
  const Deployment second = deploy("thinggroup/G2", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(control().jobs.next("dev1")->job_id, first.id);
  report("dev1", second.id, JobStatus::in_progress);
  EXPECT_EQ(control().jobs.next("dev1")->job_id, second.id);
  report("dev1", second.id, JobStatus::succeeded);
  EXPECT_EQ(control().jobs.next("dev1")->job_id, first.id);
}

TEST_F(DeviceJobsTest, BothKindsOfDevicesAreToldOfEachChangeOfTheQueue) {
  const std::string prefix = "$aws/things/dev1/jobs/";
  const Deployment deployment = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  EXPECT_THAT(topics(), ElementsAre(prefix + "notify-next-namespace-aws-gg-deployment",
                                    prefix + "notify-namespace-aws-gg-deployment"));
  report("dev1", deployment.id, JobStatus::in_progress);
  EXPECT_THAT(topics(), ElementsAre());
  report("dev1", deployment.id, JobStatus::succeeded);
  const auto messages = notifier().take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].payload, json::value({{"timestamp", 1'795'343'912}}));
  EXPECT_EQ(messages[1].payload,
            json::value({{"timestamp", 1'795'343'912}, {"jobs", json::object{}}}));
}

TEST_F(DeviceJobsTest, TheListNamesQueuedJobsWithWhatClassicDevicesCompare) {
  const Deployment deployment = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  const json::value list =
      notifier().last("$aws/things/dev1/jobs/notify-namespace-aws-gg-deployment");
  EXPECT_EQ(list.at("jobs"), json::value({{"QUEUED", json::array{{{"jobId", deployment.id},
                                                                  {"queuedAt", 1'795'343'912},
                                                                  {"lastUpdatedAt", 1'795'343'912},
                                                                  {"versionNumber", 1},
                                                                  {"executionNumber", 1}}}}}));
}

TEST_F(DeviceJobsTest, UpdatesThatCannotBeAreRejected) {
  const Deployment deployment = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  const auto rejection = [&](const std::string& job, JobStatus status,
                             std::optional<std::int64_t> version = {}) {
    return control().jobs.update("dev1", job, {status, {}, version}).rejection;
  };
  EXPECT_EQ(rejection("unknown", JobStatus::in_progress), JobRejection::resource_not_found);
  EXPECT_EQ(rejection(deployment.id, JobStatus::in_progress, 7), JobRejection::version_mismatch);
  EXPECT_EQ(rejection(deployment.id, JobStatus::queued), JobRejection::invalid_state_transition);
  EXPECT_EQ(rejection(deployment.id, JobStatus::in_progress, 1), std::nullopt);
  EXPECT_EQ(rejection(deployment.id, JobStatus::in_progress), std::nullopt);  // said again
  EXPECT_EQ(rejection(deployment.id, JobStatus::failed), std::nullopt);
  for (const JobStatus status : {JobStatus::in_progress, JobStatus::succeeded, JobStatus::failed}) {
    EXPECT_EQ(rejection(deployment.id, status), JobRejection::terminal_state_reached);
  }
  EXPECT_EQ(control().jobs.update("dev2", deployment.id, {}).rejection,
            JobRejection::resource_not_found);
}

TEST_F(DeviceJobsTest, AfterARestartTheServerRepeatsWhatIsPending) {
  const Deployment pending = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  control().things.create("dev2", {});
  const Deployment finished = deploy("thing/dev2", "com.ex.Hello", "1.0.0");
  report("dev2", finished.id, JobStatus::succeeded);
  (void)notifier().take();
  restart();
  control().jobs.repeat_pending();
  const auto messages = notifier().take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].payload.at("execution").at("jobId").as_string(), pending.id);
}

TEST_F(DeviceJobsTest, AFailureIsShownWithItsCauseAndCodes) {
  const Deployment deployment = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  const auto reason = [&] {
    return control().jobs.effective_deployments("dev1", {}).items.at(0).reason;
  };
  EXPECT_THAT(reason(), HasSubstr("waiting"));
  control().jobs.update(
      "dev1", deployment.id,
      {JobStatus::failed,
       {{"detailed-deployment-status", "FAILED_ROLLBACK_COMPLETE"},
        {"deployment-failure-cause", "com.ex.Hello: artifact x.zip is damaged"},
        {"deployment-error-stack", R"(["DEPLOYMENT_FAILURE","ARTIFACT_CHECKSUM_MISMATCH"])"},
        {"deployment-error-types", "not JSON"}},
       {}});
  const auto effective = control().jobs.effective_deployments("dev1", {}).items.at(0);
  EXPECT_EQ(effective.reason, "FAILED_ROLLBACK_COMPLETE: com.ex.Hello: artifact x.zip is damaged");
  EXPECT_THAT(effective.error_stack,
              ElementsAre("DEPLOYMENT_FAILURE", "ARTIFACT_CHECKSUM_MISMATCH"));
  EXPECT_TRUE(effective.error_types.empty());
  EXPECT_EQ(effective.target_arn, Arns().thing_group("G1"));
}

TEST_F(DeviceJobsTest, EffectiveDeploymentsLeaveOutWhatWasReplacedAndComeInPages) {
  (void)deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  clock().advance(std::chrono::seconds(1));
  const Deployment second = deploy("thinggroup/G1", "com.ex.Hello", "1.0.0");
  clock().advance(std::chrono::seconds(1));
  const Deployment third = deploy("thinggroup/G2", "com.ex.Hello", "1.0.0");
  const auto first_page = control().jobs.effective_deployments("dev1", {1, ""});
  EXPECT_EQ(first_page.items.at(0).deployment_id, third.id);
  const auto second_page = control().jobs.effective_deployments("dev1", {1, *first_page.next});
  EXPECT_EQ(second_page.items.at(0).deployment_id, second.id);
  EXPECT_FALSE(second_page.next);
}

TEST_F(DeviceJobsTest, WhatANucleusLiteWouldNeverSeeFailsWithItsReason) {
  const Deployment long_one = control().deployments.create(
      {{"targetArn", Arns().thing_group("G1")},
       {"components",
        {{"com.ex.Hello",
          {{"componentVersion", "1.0.0"},
           {"configurationUpdate",
            {{"merge", R"({"a": ")" + std::string(5000, 'x') + "\"}"}}}}}}}});
  const Deployment short_one = deploy("thinggroup/G2", "com.ex.Hello", "1.0.0");
  control().jobs.expire();
  EXPECT_EQ(control().jobs.find("dev1", long_one.id)->status, JobStatus::queued);
  control().core_devices.take_health(
      "dev1", R"({"runtime": "aws_nucleus_lite", "sequenceNumber": 1, "timestamp": 1,
                  "messageType": "COMPLETE", "overallDeviceStatus": "HEALTHY"})");
  control().jobs.expire();
  EXPECT_EQ(control().jobs.find("dev1", long_one.id)->status, JobStatus::failed);
  EXPECT_EQ(control().jobs.next("dev1")->job_id, short_one.id);
  EXPECT_THAT(control().jobs.of_deployment(long_one.id, 1).at(0).reason,
              HasSubstr("packets of 5000 bytes"));
}

TEST_F(DeviceJobsTest, AJobInProgressForLongerThanAllowedTimesOut) {
  const Deployment deployment = control().deployments.create(
      {{"targetArn", Arns().thing("dev1")},
       {"iotJobConfiguration", {{"timeoutConfig", {{"inProgressTimeoutInMinutes", 5}}}}}});
  clock().advance(std::chrono::minutes(10));
  control().jobs.expire();  // queued jobs wait for ever
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, JobStatus::queued);
  report("dev1", deployment.id, JobStatus::in_progress);
  clock().advance(std::chrono::minutes(4));
  control().jobs.expire();
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, JobStatus::in_progress);
  clock().advance(std::chrono::minutes(2));
  control().jobs.expire();
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, JobStatus::timed_out);
  EXPECT_EQ(control().deployments.find(deployment.id)->status, DeploymentStatus::failed);
  EXPECT_THAT(control().jobs.effective_deployments("dev1", {}).items.at(0).reason,
              HasSubstr("more than 5 min"));
}

}  // namespace
}  // namespace andon::control
