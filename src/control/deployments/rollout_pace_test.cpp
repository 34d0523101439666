// SPDX-License-Identifier: Apache-2.0
// Deployments with a rate and with abort criteria, over a database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr int kMany = 50;

class RolloutPaceTest : public testing::Test, public ControlFixture {
 protected:
  RolloutPaceTest() {
    add_component("com.ex.Hello", "1.0.0");
    control().things.create_group("G", "", "", {});
    for (int i = 0; i < kMany; ++i) {
      control().things.create(name(i), {});
      control().things.add_to_group(name(i), "G");
    }
  }

  static std::string name(int i) { return "dev" + std::to_string(1000 + i); }

  Deployment deploy_with(json::object configuration) {
    return control().deployments.create(
        {{"targetArn", Arns().target("thinggroup/G")},
         {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}},
         {"iotJobConfiguration", std::move(configuration)}});
  }
  static json::object rate(int per_minute) {
    return {{"jobExecutionsRolloutConfig", {{"maximumPerMinute", per_minute}}}};
  }
  static json::object aborting(const char* failure, int percent, int least) {
    return {{"abortConfig",
             {{"criteriaList", json::array{json::object{{"failureType", failure},
                                                        {"action", "CANCEL"},
                                                        {"thresholdPercentage", percent},
                                                        {"minNumberOfExecutedThings", least}}}}}}};
  }
  std::int64_t count(const Deployment& deployment) {
    std::int64_t found = 0;
    database().read([&](store::Transaction& tx) {
      found = tx.query_one(
                    "SELECT COUNT(*) FROM job_executions WHERE job_id = $1 "
                    "AND status <> 'CANCELED'",
                    {deployment.id})
                  ->integer(0);
    });
    return found;
  }
  // What the server's thread does from time to time.
  void look() {
    while (control().serve_devices()) {
    }
  }
  DeploymentStatus status(const Deployment& deployment) {
    return control().deployments.find(deployment.id)->status;
  }
};

TEST_F(RolloutPaceTest, ARateIsKeptAcrossRestartsAndEveryDeviceIsReached) {
  const Deployment deployment = deploy_with(rate(10));
  const base::Timestamp begun = clock().now();
  std::int64_t before = count(deployment);
  EXPECT_LE(before, 2);
  for (int step = 0; step < 10 * kMany && count(deployment) < kMany; ++step) {
    clock().advance(seconds(1));
    if (step % 7 == 0) restart();
    look();
    const auto passed = std::chrono::duration_cast<seconds>(clock().now() - begun).count();
    EXPECT_LE(count(deployment), (passed + 2) * 10 / 60 + 1);
    EXPECT_GE(count(deployment), before);
    before = count(deployment);
    EXPECT_EQ(status(deployment), DeploymentStatus::active);
  }
  EXPECT_EQ(before, kMany);
  EXPECT_LE(clock().now() - begun, minutes(6));
}

TEST_F(RolloutPaceTest, AfterAStandstillNobodyIsFlooded) {
  const Deployment deployment = deploy_with(rate(60));
  const std::int64_t at_first = count(deployment);
  clock().advance(minutes(30));
  look();
  EXPECT_LE(count(deployment), at_first + 3);
}

TEST_F(RolloutPaceTest, AClockThatIsSetBackDoesNotStopIt) {
  const Deployment deployment = deploy_with(rate(60));
  clock().advance(-std::chrono::hours(24));
  for (int i = 0; i < 2 * kMany; ++i) {
    clock().advance(seconds(1));
    look();
  }
  EXPECT_EQ(count(deployment), kMany);
}

TEST_F(RolloutPaceTest, TheRateRisesWithTheDevicesThatSucceed) {
  const Deployment deployment =
      deploy_with({{"jobExecutionsRolloutConfig",
                    {{"maximumPerMinute", 600},
                     {"exponentialRate",
                      {{"baseRatePerMinute", 6},
                       {"incrementFactor", 5},
                       {"rateIncreaseCriteria", {{"numberOfSucceededThings", 2}}}}}}}});
  const auto in_a_minute = [&] {
    const std::int64_t before = count(deployment);
    for (int i = 0; i < 60; ++i) {
      clock().advance(seconds(1));
      look();
    }
    return count(deployment) - before;
  };
  EXPECT_LE(in_a_minute(), 7);
  report(name(0), deployment.id, JobStatus::succeeded);
  report(name(1), deployment.id, JobStatus::succeeded);
  EXPECT_GE(in_a_minute(), 25);
}

TEST_F(RolloutPaceTest, WhoJoinsWaitsForTheTurnUnlessItIsOver) {
  const Deployment deployment = deploy_with(rate(1));
  ASSERT_EQ(count(deployment), 1);
  control().things.create("dev0000", {});
  control().things.add_to_group("dev0000", "G");
  control().things.create("dev9999", {});
  control().things.add_to_group("dev9999", "G");
  EXPECT_TRUE(control().jobs.find("dev0000", deployment.id));
  EXPECT_FALSE(control().jobs.find("dev9999", deployment.id));
  for (int i = 0; i < kMany + 2; ++i) {
    clock().advance(minutes(1));
    look();
  }
  EXPECT_TRUE(control().jobs.find("dev9999", deployment.id));
}

TEST_F(RolloutPaceTest, OneThatGoesOutSlowlyHoldsUpNoOther) {
  const Deployment slow = deploy_with(rate(1));
  control().things.create_group("Other", "", "", {});
  for (int i = 0; i < kMany; ++i) control().things.add_to_group(name(i), "Other");
  const Deployment fast = deploy("thinggroup/Other", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(count(slow), 1);
  EXPECT_EQ(count(fast), kMany);
}

TEST_F(RolloutPaceTest, TooManyFailuresEndItAndReachNobodyElse) {
  json::object configuration = aborting("FAILED", 50, 4);
  for (const auto& member : rate(600)) configuration[member.key()] = member.value();
  const Deployment deployment = deploy_with(std::move(configuration));
  clock().advance(seconds(1));
  look();
  const std::int64_t reached = count(deployment);
  ASSERT_LT(reached, kMany);
  report(name(0), deployment.id, JobStatus::failed);
  report(name(1), deployment.id, JobStatus::rejected);  // not what the criterion counts
  report(name(2), deployment.id, JobStatus::succeeded);
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
  report(name(3), deployment.id, JobStatus::failed);
  const Deployment ended = *control().deployments.find(deployment.id);
  EXPECT_EQ(ended.status, DeploymentStatus::canceled);
  EXPECT_THAT(ended.ended_reason, HasSubstr("2 of 4 devices ended FAILED"));
  EXPECT_EQ(control().jobs.find(name(4), deployment.id)->status, JobStatus::canceled);
  restart();
  clock().advance(minutes(10));
  look();
  EXPECT_EQ(count(deployment), 4);
  EXPECT_FALSE(control().jobs.next(name(kMany - 1)));
}

TEST_F(RolloutPaceTest, DevicesThatAreTooLateCountAsFailures) {
  json::object configuration = aborting("TIMED_OUT", 100, 2);
  configuration["timeoutConfig"] = {{"inProgressTimeoutInMinutes", 5}};
  const Deployment deployment = deploy_with(std::move(configuration));
  for (int i = 0; i < 2; ++i) report(name(i), deployment.id, JobStatus::in_progress);
  clock().advance(minutes(6));
  restart();
  control().jobs.expire();
  EXPECT_EQ(status(deployment), DeploymentStatus::canceled);
}

TEST_F(RolloutPaceTest, WhatCannotBeInAConfigurationIsNamed) {
  try {
    (void)deploy_with({{"jobExecutionsRolloutConfig", {{"maximumPerMinute", 5000}}},
                       {"abortConfig", {{"criteriaList", json::array{json::object{}}}}},
                       {"timeoutConfig", {{"inProgressTimeoutInMinutes", 0}}}});
    FAIL() << "it was taken";
  } catch (const base::Error& error) {
    for (const auto* part : {"iotJobConfiguration.jobExecutionsRolloutConfig.maximumPerMinute",
                             "iotJobConfiguration.abortConfig.criteriaList[0].failureType",
                             "iotJobConfiguration.timeoutConfig.inProgressTimeoutInMinutes"}) {
      EXPECT_THAT(error.message(), HasSubstr(part));
    }
  }
}

}  // namespace
}  // namespace andon::control
