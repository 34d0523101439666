// SPDX-License-Identifier: Apache-2.0
// Sub-deployments: what each device has of a parent's deployment and of those below it.
#include "control/deployments/standing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;

class SubDeploymentsTest : public testing::Test, public ControlFixture {
 protected:
  SubDeploymentsTest() {
    add_component("com.ex.Hello", "1.0.0");
    for (const auto* group : {"Parent", "Retry", "Other"}) {
      control().things.create_group(group, "", "", {});
    }
    for (const auto* thing : {"dev1", "dev2", "dev3", "stranger"}) {
      control().things.create(thing, {});
    }
    for (const auto* thing : {"dev1", "dev2", "dev3"}) {
      control().things.add_to_group(thing, "Parent");
    }
    control().things.add_to_group("dev1", "Retry");
    control().things.add_to_group("stranger", "Retry");
  }

  Deployment sub(const std::string& group, const std::string& parent = "Parent") {
    clock().advance(std::chrono::seconds(1));
    return control().deployments.create(
        {{"targetArn", Arns().thing_group(group)},
         {"parentTargetArn", Arns().thing_group(parent)},
         {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}}});
  }
  Deployment parent() {
    clock().advance(std::chrono::seconds(1));
    return deploy("thinggroup/Parent", "com.ex.Hello", "1.0.0");
  }
  std::string next(const std::string& thing) {
    const auto job = control().jobs.next(thing);
    return job ? job->job_id : "";
  }
  DeploymentStatus status(const Deployment& deployment) {
    return control().deployments.find(deployment.id)->status;
  }
};

TEST_F(SubDeploymentsTest, ItIsForThoseDevicesAloneThatAreInTheParentsGroupToo) {
  const Deployment deployment = sub("Retry");
  EXPECT_EQ(next("dev1"), deployment.id);
  EXPECT_EQ(next("dev2"), "");
  EXPECT_EQ(next("stranger"), "");
  control().things.add_to_group("stranger", "Parent");
  EXPECT_EQ(next("stranger"), deployment.id);
}

TEST_F(SubDeploymentsTest, TheDocumentSaysOnWhoseBehalfItIs) {
  const Deployment deployment = sub("Retry");
  const json::object document = *control().jobs.document(deployment.id);
  EXPECT_EQ(document.at("onBehalfOf").as_string(), Arns().thing_group("Parent"));
  EXPECT_EQ(document.at("parentTargetArn").as_string(), Arns().thing_group("Parent"));
  EXPECT_EQ(document.at("requiredCapabilities"), json::value(json::array{"SUB_DEPLOYMENTS"}));
}

TEST_F(SubDeploymentsTest, ItTakesThePlaceOfWhatTheDeviceHasNotFinishedOfTheParent) {
  const Deployment whole = parent();
  report("dev2", whole.id, JobStatus::succeeded);
  const Deployment part = sub("Retry");
  EXPECT_EQ(next("dev1"), part.id);
  EXPECT_EQ(control().jobs.find("dev1", whole.id)->status, JobStatus::canceled);
  EXPECT_EQ(next("dev3"), whole.id);
  EXPECT_EQ(status(whole), DeploymentStatus::active);
  control().things.add_to_group("dev2", "Retry");
  EXPECT_EQ(next("dev2"), part.id);
  EXPECT_EQ(control().jobs.find("dev2", whole.id)->status, JobStatus::succeeded);
}

TEST_F(SubDeploymentsTest, AFailureOfTheParentStaysVisibleWhileItIsTriedAgain) {
  const Deployment whole = parent();
  for (const auto* thing : {"dev2", "dev3"}) report(thing, whole.id, JobStatus::succeeded);
  report("dev1", whole.id, JobStatus::failed);
  const Deployment part = sub("Retry");
  report("dev1", part.id, JobStatus::succeeded);
  EXPECT_EQ(status(part), DeploymentStatus::completed);
  EXPECT_EQ(status(whole), DeploymentStatus::failed);
}

TEST_F(SubDeploymentsTest, ANewerRevisionOfTheParentEndsItEverywhere) {
  const Deployment part = sub("Retry");
  const Deployment whole = parent();
  EXPECT_EQ(status(part), DeploymentStatus::inactive);
  EXPECT_EQ(next("dev1"), whole.id);
  EXPECT_EQ(control().jobs.find("dev1", part.id)->status, JobStatus::canceled);
}

TEST_F(SubDeploymentsTest, OfTwoTheNewerStands) {
  control().things.add_to_group("dev1", "Other");
  control().things.add_to_group("dev2", "Other");
  const Deployment first = sub("Retry");
  const Deployment second = sub("Other");
  EXPECT_EQ(next("dev1"), second.id);
  EXPECT_EQ(next("dev2"), second.id);
  EXPECT_EQ(control().jobs.find("dev1", first.id)->status, JobStatus::canceled);
}

TEST_F(SubDeploymentsTest, WhoLeavesItGetsWhatTheParentHas) {
  const Deployment whole = parent();
  report("dev1", whole.id, JobStatus::succeeded);
  const Deployment part = sub("Retry");
  report("dev1", part.id, JobStatus::succeeded);
  EXPECT_EQ(next("dev1"), "");
  control().things.remove_from_group("dev1", "Retry");
  EXPECT_EQ(next("dev1"), whole.id);
}

TEST_F(SubDeploymentsTest, WhereItIsCanceledTheParentsComesBack) {
  const Deployment whole = parent();
  const Deployment part = sub("Retry");
  EXPECT_EQ(next("dev1"), part.id);
  control().deployments.cancel(part.id);
  EXPECT_EQ(next("dev1"), whole.id);
}

TEST_F(SubDeploymentsTest, AGroupServesOneParentAndNoOther) {
  (void)sub("Retry");
  EXPECT_THROW((void)sub("Retry", "Other"), Error);
  EXPECT_THROW((void)deploy("thinggroup/Retry", "com.ex.Hello", "1.0.0"), Error);
  EXPECT_THROW((void)sub("Parent"), Error);
  EXPECT_THROW((void)sub("Other", "nobody"), Error);
  (void)parent();
  EXPECT_THROW((void)sub("Parent", "Other"), Error);
}

TEST_F(SubDeploymentsTest, ItEndsWithTheParentsGroup) {
  const Deployment part = sub("Retry");
  control().things.remove_group("Parent");
  EXPECT_EQ(status(part), DeploymentStatus::inactive);
  EXPECT_EQ(next("dev1"), "");
}

TEST_F(SubDeploymentsTest, AListIsOfThoseWithOneParent) {
  const Deployment part = sub("Retry");
  (void)parent();
  const auto found = control().deployments.list({.parent_target_arn = Arns().thing_group("Parent"),
                                                 .history = DeploymentFilter::History::all},
                                                {10, ""});
  ASSERT_EQ(found.items.size(), 1U);
  EXPECT_EQ(found.items.front().id, part.id);
}

}  // namespace
}  // namespace andon::control
