// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/deployment_shadow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

constexpr const char* kUpdateAccepted =
    "$aws/things/dev1/shadow/name/AWSManagedGreengrassV2Deployment/update/accepted";

class DeploymentShadowTest : public testing::Test, public ControlFixture {
 protected:
  DeploymentShadowTest() {
    add_component("com.ex.Hello", "1.0.0");
    control().things.create("dev1", {});
  }
  static json::object reported(const std::string& status, std::int64_t revision,
                               std::optional<std::int64_t> version = {}) {
    json::object request{
        {"state",
         {{"reported",
           {{"fleetConfigurationArnForStatus", Arns().configuration("thing/dev1", revision)},
            {"status", status},
            {"statusDetails",
             {{"detailedStatus", "FAILED_ROLLBACK_COMPLETE"},
              {"failureCause", "no space"},
              {"errorStack", json::array{"DISK_SPACE_CRITICAL"}},
              {"errorTypes", json::array{}}}}}}}},
        {"clientToken", "t1"}};
    if (version) request["version"] = *version;
    return request;
  }
};

TEST_F(DeploymentShadowTest, ADeploymentForAThingIsInItsShadowAsText) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const json::value told = notifier().last(kUpdateAccepted);
  EXPECT_EQ(told.at("version").as_int64(), 1);
  EXPECT_EQ(told.at("state").at("desired").at("desiredStatus").as_string(), "SUCCEEDED");
  const json::value document =
      base::parse_json(told.at("state").at("desired").at("fleetConfig").as_string(), "fleetConfig");
  EXPECT_EQ(document.at("deploymentId").as_string(), deployment.id);
  const ShadowReply reply = control().shadow.get("dev1", {{"clientToken", "abc"}});
  EXPECT_TRUE(reply.accepted);
  EXPECT_EQ(reply.payload.at("clientToken").as_string(), "abc");
  EXPECT_EQ(reply.payload.at("state"), told.at("state"));
}

TEST_F(DeploymentShadowTest, AThingWithoutDeploymentsHasNone) {
  const ShadowReply reply = control().shadow.get("dev1", {});
  EXPECT_FALSE(reply.accepted);
  EXPECT_EQ(reply.payload.at("code").as_int64(), 404);
}

TEST_F(DeploymentShadowTest, AStatusInTheShadowEndsTheJobToo) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  EXPECT_TRUE(control().shadow.update("dev1", reported("IN_PROGRESS", 1, 1)).accepted);
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, JobStatus::in_progress);
  const ShadowReply reply = control().shadow.update("dev1", reported("FAILED", 1, 2));
  EXPECT_TRUE(reply.accepted);
  EXPECT_EQ(reply.payload.at("version").as_int64(), 3);
  EXPECT_EQ(reply.payload.at("clientToken").as_string(), "t1");
  EXPECT_EQ(control().deployments.find(deployment.id)->status, DeploymentStatus::failed);
  EXPECT_EQ(control().jobs.effective_deployments("dev1", {}).items.at(0).reason,
            "FAILED_ROLLBACK_COMPLETE: no space");
  EXPECT_FALSE(control().jobs.next("dev1"));
}

TEST_F(DeploymentShadowTest, AJobThatEndsIsReportedInTheShadow) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  report("dev1", deployment.id, JobStatus::succeeded);
  const ShadowReply reply = control().shadow.get("dev1", {});
  const json::value& reported = reply.payload.at("state").at("reported");
  EXPECT_EQ(reported.at("status").as_string(), "SUCCEEDED");
  EXPECT_EQ(reported.at("fleetConfigurationArnForStatus").as_string(),
            Arns().configuration("thing/dev1", 1));
}

TEST_F(DeploymentShadowTest, AnUpdateToAnotherVersionIsAConflict) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const ShadowReply reply = control().shadow.update("dev1", reported("SUCCEEDED", 1, 9));
  EXPECT_FALSE(reply.accepted);
  EXPECT_EQ(reply.payload.at("code").as_int64(), 409);
  EXPECT_EQ(control().jobs.find("dev1", deployment.id)->status, JobStatus::queued);
}

TEST_F(DeploymentShadowTest, AReportOnAnOldRevisionDoesNotEndTheNewOne) {
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  const Deployment second = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  EXPECT_TRUE(control().shadow.update("dev1", reported("SUCCEEDED", 1)).accepted);
  EXPECT_EQ(control().deployments.find(second.id)->status, DeploymentStatus::active);
}

TEST_F(DeploymentShadowTest, MalformedUpdatesAreRejected) {
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  for (const json::object& request :
       {json::object{}, json::object{{"state", 1}}, json::object{{"state", json::object{}}},
        json::object{{"state", {{"reported", 1}}}}, reported("DONE", 1)}) {
    const ShadowReply reply = control().shadow.update("dev1", request);
    EXPECT_FALSE(reply.accepted);
    EXPECT_EQ(reply.payload.at("code").as_int64(), 400);
  }
}

TEST_F(DeploymentShadowTest, CancelingAsksTheDeviceToStop) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  control().deployments.cancel(deployment.id);
  EXPECT_EQ(notifier().last(kUpdateAccepted).at("state").at("desired").at("desiredStatus"),
            "CANCELED");
}

}  // namespace
}  // namespace andon::control
