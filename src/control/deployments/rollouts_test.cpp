// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/rollouts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::Error;

constexpr int kMany = 450;  // more than the first step and one of the next ones

class RolloutsTest : public testing::Test, public ControlFixture {
 protected:
  RolloutsTest() {
    add_component("com.ex.Hello", "1.0.0");
    control().things.create_group("G", "", "", {});
    control().things.create_group("Child", "G", "", {});
    database().write([](store::Transaction& tx) {
      for (int i = 0; i < kMany; ++i) {
        tx.execute(
            "INSERT INTO things (name, id, type_name, attributes, version, created_ms) "
            "VALUES ($1, $1, '', '{}', 1, 0)",
            {name(i)});
        tx.execute("INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2)",
                   {i % 2 == 0 ? "G" : "Child", name(i)});
      }
    });
  }

  static std::string name(int i) { return "dev" + std::to_string(1000 + i); }

  std::int64_t count(const std::string& job_id, const std::string& status) {
    std::int64_t found = 0;
    database().read([&](store::Transaction& tx) {
      found = tx.query_one("SELECT COUNT(*) FROM job_executions WHERE job_id = $1 AND status = $2",
                           {job_id, status})
                  ->integer(0);
    });
    return found;
  }
  // Who was sent which job since the last take().
  std::map<std::string, std::set<std::string>> told() {
    std::map<std::string, std::set<std::string>> all;
    for (const auto& message : notifier().take()) {
      if (message.topic.find("notify-next") == std::string::npos) continue;
      const std::string thing = message.topic.substr(12, message.topic.find("/jobs/") - 12);
      const auto* execution = message.payload.as_object().if_contains("execution");
      all[thing].insert(execution == nullptr ? "nothing"
                                             : std::string(execution->at("jobId").as_string()));
    }
    return all;
  }
  void serve_all() {
    while (control().serve_devices()) {
    }
  }
  DeploymentStatus status(const Deployment& deployment) {
    return control().deployments.find(deployment.id)->status;
  }
};

TEST_F(RolloutsTest, EveryDeviceOfALargeGroupGetsTheJobAndIsToldOnce) {
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(count(deployment.id, "QUEUED"), kMany);
  const auto all = told();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(all.at(name(0)), std::set{deployment.id});
  EXPECT_EQ(all.at(name(kMany - 1)), std::set{deployment.id});
}

TEST_F(RolloutsTest, AServerKilledAfterItAnsweredGoesOnWhereItWas) {
  serve_nobody();
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(count(deployment.id, "QUEUED"), static_cast<std::int64_t>(kFirstStep));
  EXPECT_TRUE(told().empty());
  EXPECT_TRUE(control().rollouts.step());  // one more step, and the server is killed again
  restart();
  control().outbox.wake();
  EXPECT_EQ(count(deployment.id, "QUEUED"), kMany);
  EXPECT_EQ(told().size(), static_cast<std::size_t>(kMany));
}

TEST_F(RolloutsTest, ADeploymentIsActiveUntilItsLastDeviceHasGotIt) {
  serve_nobody();
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  database().write(
      [](store::Transaction& tx) { tx.execute("UPDATE job_executions SET status = 'SUCCEEDED'"); });
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
  EXPECT_THROW(control().deployments.remove(deployment.id), Error);
  EXPECT_THROW(control().components.remove("com.ex.Hello", "1.0.0"), Error);
  serve_all();
  EXPECT_EQ(status(deployment), DeploymentStatus::active);
  database().write(
      [](store::Transaction& tx) { tx.execute("UPDATE job_executions SET status = 'SUCCEEDED'"); });
  EXPECT_EQ(status(deployment), DeploymentStatus::completed);
}

TEST_F(RolloutsTest, ANewerRevisionHoldsForAllDevicesFromItsAnswerOn) {
  const Deployment first = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  (void)told();
  serve_nobody();
  const Deployment second = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  const std::string late = name(kMany - 1);  // its step has still to come
  EXPECT_EQ(control().jobs.find(late, first.id)->status, JobStatus::canceled);
  EXPECT_FALSE(control().jobs.next(late));
  EXPECT_EQ(report(late, first.id, JobStatus::in_progress).rejection,
            JobRejection::terminal_state_reached);
  serve_all();
  EXPECT_EQ(count(first.id, "CANCELED"), kMany);
  EXPECT_EQ(count(second.id, "QUEUED"), kMany);
  for (const auto& [thing, jobs] : told()) EXPECT_EQ(jobs, std::set{second.id}) << thing;
}

TEST_F(RolloutsTest, ASmallTargetLeavesNothingToBeDoneLater) {
  serve_nobody();
  for (int i = 0; i < 3; ++i) (void)deploy("thing/" + name(i % 2), "com.ex.Hello", "1.0.0");
  EXPECT_FALSE(control().rollouts.step());
}

TEST_F(RolloutsTest, OneThatIsReplacedWhileItRollsOutReachesNoFurtherDevice) {
  serve_nobody();
  const Deployment first = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  const Deployment second = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  serve_all();
  EXPECT_EQ(count(first.id, "QUEUED"), 0);
  EXPECT_EQ(count(first.id, "CANCELED"), static_cast<std::int64_t>(kFirstStep));
  EXPECT_EQ(count(second.id, "QUEUED"), kMany);
}

TEST_F(RolloutsTest, CancelingTakesItBackFromEveryDeviceAndTellsThem) {
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  report(name(7), deployment.id, JobStatus::succeeded);
  (void)told();
  control().deployments.cancel(deployment.id);
  EXPECT_EQ(count(deployment.id, "CANCELED"), kMany - 1);
  EXPECT_EQ(count(deployment.id, "SUCCEEDED"), 1);
  const auto all = told();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kMany - 1));
  EXPECT_EQ(all.begin()->second, std::set<std::string>{"nothing"});
}

TEST_F(RolloutsTest, WhoJoinsOrLeavesMeanwhileIsNeitherForgottenNorAskedTwice) {
  serve_nobody();
  const Deployment deployment = deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  const std::string leaver = name(kMany - 1);
  control().things.remove_from_group(leaver, (kMany - 1) % 2 == 0 ? "G" : "Child");
  control().things.create("dev0000", {});  // before where the rollout stands
  control().things.add_to_group("dev0000", "G");
  control().things.create("dev9999", {});  // after it
  control().things.add_to_group("dev9999", "G");
  report("dev9999", deployment.id, JobStatus::succeeded);
  serve_all();
  EXPECT_FALSE(control().jobs.find(leaver, deployment.id));
  EXPECT_EQ(control().jobs.find("dev0000", deployment.id)->status, JobStatus::queued);
  EXPECT_EQ(control().jobs.find("dev9999", deployment.id)->status, JobStatus::succeeded);
}

TEST_F(RolloutsTest, AfterALostConnectionEveryDeviceWithWorkIsToldAgain) {
  (void)deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  (void)told();
  control().jobs.repeat_pending();
  EXPECT_EQ(told().size(), static_cast<std::size_t>(kMany));
}

}  // namespace
}  // namespace andon::control
