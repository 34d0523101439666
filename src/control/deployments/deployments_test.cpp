// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/deployments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;

constexpr const char* kNextTopic = "$aws/things/dev1/jobs/notify-next-namespace-aws-gg-deployment";

class DeploymentsTest : public testing::Test, public ControlFixture {
 protected:
  DeploymentsTest() {
    add_component("com.ex.Hello", "1.0.0");
    add_component("com.ex.Hello", "1.1.0");
    for (const auto* name : {"dev1", "dev2", "dev3"}) control().things.create(name, {});
    control().things.create_group("G", "", "", {});
  }

  DeploymentStatus status(const Deployment& deployment) {
    return control().deployments.find(deployment.id)->status;
  }
  JobStatus job(const std::string& thing, const Deployment& deployment) {
    return control().jobs.find(thing, deployment.id)->status;
  }
  std::pair<ErrorCode, std::string> refusal(const json::object& request) {
    try {
      (void)control().deployments.create(request);
    } catch (const Error& error) {
      return {error.code(), error.message()};
    }
    return {ErrorCode::internal, "it was taken"};
  }
};

TEST_F(DeploymentsTest, AThingGetsAJobWithTheWholeDocument) {
  const Deployment deployment = control().deployments.create(
      {{"targetArn", Arns().thing("dev1")},
       {"deploymentName", "first"},
       {"components",
        {{"com.ex.Hello",
          {{"componentVersion", "1.0.0"},
           {"configurationUpdate",
            {{"merge", R"({"threshold": 0.5})"}, {"reset", json::array{"/old"}}}}}}}}});
  EXPECT_EQ(deployment.revision, 1);
  EXPECT_EQ(deployment.status, DeploymentStatus::active);
  const json::value message = notifier().last(kNextTopic);
  const json::object& execution = message.at("execution").as_object();
  EXPECT_EQ(execution.at("jobId").as_string(), deployment.id);
  EXPECT_EQ(execution.at("status").as_string(), "QUEUED");
  EXPECT_EQ(execution.at("queuedAt").as_int64(), 1'795'343'912);
  EXPECT_EQ(execution.at("versionNumber").as_int64(), 1);
  const json::object& document = execution.at("jobDocument").as_object();
  EXPECT_EQ(document.at("deploymentId").as_string(), deployment.id);
  EXPECT_EQ(document.at("deploymentName").as_string(), "first");
  EXPECT_EQ(document.at("configurationArn").as_string(),
            "arn:aws:greengrass:us-east-1:000000000000:configuration:thing/dev1:1");
  const json::value& update =
      document.at("components").at("com.ex.Hello").at("configurationUpdate");
  EXPECT_EQ(update.at("merge").at("threshold").as_double(), 0.5);
  EXPECT_EQ(update.at("reset").at(0).as_string(), "/old");
}

TEST_F(DeploymentsTest, TheStatusOfAThingsDeploymentIsThatOfItsDevice) {
  struct Case {
    JobStatus reported;
    DeploymentStatus expected;
  };
  for (const Case& one : {Case{JobStatus::in_progress, DeploymentStatus::active},
                          Case{JobStatus::succeeded, DeploymentStatus::completed},
                          Case{JobStatus::failed, DeploymentStatus::failed},
                          Case{JobStatus::rejected, DeploymentStatus::failed}}) {
    const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
    report("dev1", deployment.id, one.reported);
    EXPECT_EQ(status(deployment), one.expected) << to_string(one.reported);
  }
}

TEST_F(DeploymentsTest, TheStatusOfAGroupsDeploymentSumsUpItsDevices) {
  using enum JobStatus;
  struct Case {
    std::vector<JobStatus> reported;  // of dev1, dev2, dev3
    DeploymentStatus expected;
  };
  for (const auto* name : {"dev1", "dev2", "dev3"}) control().things.add_to_group(name, "G");
  for (const Case& one : {Case{{succeeded, succeeded, in_progress}, DeploymentStatus::active},
                          Case{{succeeded, failed, in_progress}, DeploymentStatus::active},
                          Case{{succeeded, succeeded, succeeded}, DeploymentStatus::completed},
                          Case{{succeeded, failed, succeeded}, DeploymentStatus::failed},
                          Case{{rejected, succeeded, succeeded}, DeploymentStatus::failed}}) {
    const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
    report("dev1", deployment.id, one.reported[0]);
    report("dev2", deployment.id, one.reported[1]);
    report("dev3", deployment.id, one.reported[2]);
    EXPECT_EQ(status(deployment), one.expected);
  }
}

TEST_F(DeploymentsTest, AGroupWithoutDevicesStaysActiveForThoseWhoJoin) {
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
  control().things.add_to_group("dev1", "G");
  EXPECT_EQ(job("dev1", deployment), JobStatus::queued);
  EXPECT_EQ(notifier().last(kNextTopic).at("execution").at("jobId").as_string(), deployment.id);
  report("dev1", deployment.id, JobStatus::succeeded);
  EXPECT_EQ(status(deployment), DeploymentStatus::completed);
  control().things.add_to_group("dev2", "G");
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
}

TEST_F(DeploymentsTest, ADeviceThatLeavesAndComesBackIsAskedAnewWithALaterQueueTime) {
  control().things.add_to_group("dev1", "G");
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  report("dev1", deployment.id, JobStatus::succeeded);
  const auto first = *control().jobs.find("dev1", deployment.id);
  control().things.remove_from_group("dev1", "G");
  EXPECT_EQ(job("dev1", deployment), JobStatus::canceled);
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
  control().things.add_to_group("dev1", "G");
  const auto again = *control().jobs.find("dev1", deployment.id);
  EXPECT_EQ(again.status, JobStatus::queued);
  EXPECT_GE(fleet::to_job_seconds(again.queued), fleet::to_job_seconds(first.queued) + 1);
  EXPECT_EQ(again.execution_number, 2);
}

TEST_F(DeploymentsTest, AMemberOfAChildGroupGetsWhatTheParentGets) {
  control().things.create_group("Child", "G", "", {});
  control().things.add_to_group("dev1", "Child");
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(job("dev1", deployment), JobStatus::queued);
  // Still a member through the child.
  control().things.add_to_group("dev1", "G");
  control().things.remove_from_group("dev1", "G");
  EXPECT_EQ(job("dev1", deployment), JobStatus::queued);
}

TEST_F(DeploymentsTest, ANewRevisionTakesThePlaceOfTheOneBefore) {
  const Deployment first = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  report("dev1", first.id, JobStatus::in_progress);
  clock().advance(std::chrono::seconds(1));
  const Deployment second = deploy("thing/dev1", "com.ex.Hello", "1.1.0");
  EXPECT_EQ(second.revision, 2);
  EXPECT_EQ(status(first), DeploymentStatus::inactive);
  EXPECT_FALSE(control().deployments.find(first.id)->is_latest);
  EXPECT_EQ(job("dev1", first), JobStatus::canceled);
  EXPECT_EQ(control().jobs.next("dev1")->job_id, second.id);
  EXPECT_EQ(notifier().last(kNextTopic).at("execution").at("jobId").as_string(), second.id);
  const auto late = report("dev1", first.id, JobStatus::succeeded);
  EXPECT_EQ(late.rejection, JobRejection::terminal_state_reached);
  EXPECT_EQ(status(first), DeploymentStatus::inactive);
}

TEST_F(DeploymentsTest, RevisionsAreNeverGivenTwice) {
  const Deployment first = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  report("dev1", first.id, JobStatus::succeeded);
  control().deployments.remove(first.id);
  EXPECT_EQ(deploy("thing/dev1", "com.ex.Hello", "1.0.0").revision, 2);
}

TEST_F(DeploymentsTest, CancelingEndsWhatHasNotFinishedAndTellsTheDevices) {
  for (const auto* name : {"dev1", "dev2"}) control().things.add_to_group(name, "G");
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  report("dev2", deployment.id, JobStatus::succeeded);
  control().deployments.cancel(deployment.id);
  EXPECT_EQ(status(deployment), DeploymentStatus::canceled);
  EXPECT_EQ(job("dev1", deployment), JobStatus::canceled);
  EXPECT_EQ(job("dev2", deployment), JobStatus::succeeded);
  EXPECT_FALSE(notifier().last(kNextTopic).as_object().contains("execution"));
  EXPECT_THROW(control().deployments.cancel(deployment.id), Error);
  // It is over: nobody who joins gets it.
  control().things.add_to_group("dev3", "G");
  EXPECT_FALSE(control().jobs.next("dev3"));
}

TEST_F(DeploymentsTest, AFinishedDeploymentCannotBeCanceledAndAnActiveOneNotDeleted) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  EXPECT_THROW(control().deployments.remove(deployment.id), Error);
  report("dev1", deployment.id, JobStatus::succeeded);
  EXPECT_THROW(control().deployments.cancel(deployment.id), Error);
  control().deployments.remove(deployment.id);
  EXPECT_FALSE(control().deployments.find(deployment.id));
  EXPECT_THROW(control().deployments.remove(deployment.id), Error);
}

TEST_F(DeploymentsTest, TheSameClientTokenMakesOneDeployment) {
  const json::object request{{"targetArn", Arns().thing("dev1")}, {"clientToken", "once"}};
  const Deployment first = control().deployments.create(request);
  (void)notifier().take();
  EXPECT_EQ(control().deployments.create(request).id, first.id);
  EXPECT_TRUE(notifier().take().empty());
  json::object other = request;
  other["deploymentName"] = "another";
  EXPECT_EQ(refusal(other).first, ErrorCode::conflict);
}

TEST_F(DeploymentsTest, EveryMistakeInARequestIsNamed) {
  const auto [code, message] = refusal(
      {{"targetArn", "dev1"},
       {"components",
        {{"com.ex.A", {{"componentVersion", "one"}}},
         {"com.ex.B", json::object{}},
         {"com.ex.C", {{"componentVersion", "1.0.0"}, {"configurationUpdate", {{"merge", "{"}}}}}}},
       {"deploymentPolicies", {{"failureHandlingPolicy", "PRAY"}}},
       {"iotJobConfiguration", {{"abortConfig", {{"criteriaList", json::array{1}}}}}}});
  EXPECT_EQ(code, ErrorCode::invalid_argument);
  for (const auto* part :
       {"targetArn: \"dev1\"",
        "components[\"com.ex.A\"].componentVersion: \"one\" is not a version",
        "components[\"com.ex.B\"].componentVersion",
        "components[\"com.ex.C\"].configurationUpdate.merge: is not valid JSON",
        "deploymentPolicies.failureHandlingPolicy", "iotJobConfiguration.abortConfig"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST_F(DeploymentsTest, WhatIsNotThereIsNamedBeforeAnyDeviceHearsOfIt) {
  const auto with = [](const std::string& target, const std::string& component,
                       const std::string& version) {
    return json::object{{"targetArn", Arns().target(target)},
                        {"components", {{component, {{"componentVersion", version}}}}}};
  };
  EXPECT_EQ(refusal(with("thing/nobody", "com.ex.Hello", "1.0.0")).first, ErrorCode::not_found);
  EXPECT_EQ(refusal(with("thinggroup/none", "com.ex.Hello", "1.0.0")).first, ErrorCode::not_found);
  EXPECT_THAT(refusal(with("thing/dev1", "com.ex.Hello", "9.9.9")).second,
              HasSubstr("component com.ex.Hello has no version 9.9.9"));
  EXPECT_THAT(refusal(with("thing/dev1", "com.ex.None", "1.0.0")).second,
              HasSubstr("there is no component com.ex.None"));
  add_component("com.ex.Needy", "1.0.0", R"({"com.ex.Hello": {"VersionRequirement": ">=2.0.0"}})");
  EXPECT_THAT(refusal(with("thing/dev1", "com.ex.Needy", "1.0.0")).second,
              HasSubstr("com.ex.Hello"));
  EXPECT_TRUE(notifier().take().empty());
}

TEST_F(DeploymentsTest, AnotherBuildIsNotTheVersionThatWasNamed) {
  add_component("com.ex.Built", "1.0.0+b1");
  const auto with = [](const char* version) {
    return json::object{{"targetArn", Arns().target("thing/dev1")},
                        {"components", {{"com.ex.Built", {{"componentVersion", version}}}}}};
  };
  for (const auto* other : {"1.0.0+b2", "1.0.0"}) {
    EXPECT_THAT(refusal(with(other)).second,
                HasSubstr("component com.ex.Built has no version " + std::string(other)));
  }
}

TEST_F(DeploymentsTest, ADocumentThatANucleusLiteWouldNeverSeeIsRefused) {
  control().core_devices.take_health(
      "dev1", R"({"ggcVersion": "2.6.0", "platform": "linux", "architecture": "amd64",
                  "runtime": "aws_nucleus_lite", "thing": "dev1", "sequenceNumber": 1,
                  "timestamp": 1795343912000, "messageType": "COMPLETE",
                  "trigger": "NUCLEUS_LAUNCH", "overallDeviceStatus": "HEALTHY",
                  "components": []})");
  const auto request = [](const std::string& thing, std::size_t bytes) {
    const std::string merge = R"({"text": ")" + std::string(bytes, 'x') + R"("})";
    return json::object{
        {"targetArn", Arns().thing(thing)},
        {"components",
         {{"com.ex.Hello",
           {{"componentVersion", "1.0.0"}, {"configurationUpdate", {{"merge", merge}}}}}}}};
  };
  EXPECT_THAT(refusal(request("dev1", 6000)).second, HasSubstr("nucleus lite"));
  EXPECT_EQ(refusal(request("dev1", 1000)).second, "it was taken");
  EXPECT_EQ(refusal(request("dev2", 6000)).second, "it was taken");
  EXPECT_THAT(refusal(request("dev2", 200'000)).second, HasSubstr("131072"));
}

TEST_F(DeploymentsTest, ARecipeThatANucleusLiteCouldNotRunIsRefusedForItAlone) {
  control().core_devices.take_health(
      "dev1", R"({"architecture": "amd64", "runtime": "aws_nucleus_lite", "sequenceNumber": 1,
                  "timestamp": 1, "messageType": "COMPLETE", "overallDeviceStatus": "HEALTHY"})");
  control().things.add_to_group("dev1", "G");
  control().components.create(
      R"({"RecipeFormatVersion": "2020-01-25", "ComponentName": "com.ex.Long",
          "ComponentVersion": "1.0.0", "Manifests": [{"Lifecycle": {"run": ")" +
          std::string(9000, 'x') + R"("}}]})",
      std::nullopt);
  const auto request = [](const std::string& target) {
    return json::object{{"targetArn", target},
                        {"components", {{"com.ex.Long", {{"componentVersion", "1.0.0"}}}}}};
  };
  EXPECT_THAT(refusal(request(Arns().thing("dev1"))).second,
              HasSubstr("nucleus lite of thing \"dev1\" cannot run com.ex.Long 1.0.0"));
  EXPECT_THAT(refusal(request(Arns().thing_group("G"))).second, HasSubstr("8196"));
  EXPECT_EQ(refusal(request(Arns().thing("dev2"))).second, "it was taken");
}

TEST_F(DeploymentsTest, AreListedNewestFirstByTargetAndHistory) {
  const Deployment first = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  clock().advance(std::chrono::seconds(1));
  const Deployment second = deploy("thing/dev1", "com.ex.Hello", "1.1.0");
  const Deployment other = deploy("thing/dev2", "com.ex.Hello", "1.1.0");
  const auto ids = [&](const DeploymentFilter& filter) {
    std::vector<std::string> found;
    for (std::string after;;) {
      const auto page = control().deployments.list(filter, {1, after});
      for (const Deployment& one : page.items) found.push_back(one.id);
      if (!page.next) return found;
      after = *page.next;
    }
  };
  using enum DeploymentFilter::History;
  EXPECT_THAT(ids({"", "", all}), testing::UnorderedElementsAre(first.id, second.id, other.id));
  EXPECT_EQ(ids({"", "", all}).back(), first.id);
  EXPECT_THAT(ids({"", "", latest_only}), testing::UnorderedElementsAre(second.id, other.id));
  EXPECT_THAT(ids({Arns().thing("dev1"), "", all}), testing::ElementsAre(second.id, first.id));
}

TEST_F(DeploymentsTest, AThingThatIsDeletedTakesItsDeploymentsWithIt) {
  const Deployment deployment = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  control().things.remove("dev1");
  EXPECT_EQ(status(deployment), DeploymentStatus::inactive);
  EXPECT_FALSE(control().jobs.next("dev1"));
}

}  // namespace
}  // namespace andon::control
