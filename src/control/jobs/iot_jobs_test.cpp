// SPDX-License-Identifier: Apache-2.0
#include "control/jobs/iot_jobs.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

class IotJobsTest : public testing::Test, public ControlFixture {
 protected:
  IotJobsTest() {
    control().things.create_group("G", "", "", {});
    for (int i = 0; i < 30; ++i) {
      const std::string name = "t" + std::to_string(100 + i);
      control().things.create(name, {});
      control().things.add_to_group(name, "G");
    }
    serve_nobody();
  }

  IotJob create(const std::string& id, std::string_view configuration = "{}",
                TargetSelection selection = TargetSelection::snapshot) {
    return control().iot_jobs.create(
        {.id = id,
         .targets = {Arns().thing_group("G")},
         .selection = selection,
         .plan = {.document = R"({"do":"it"})",
                  .document_source = {},
                  .description = {},
                  .configuration = base::parse_json(configuration, "c").as_object()},
         .template_arn = {}});
  }
  // A configuration whose schedule has a time so far ahead in the place of "$1".
  std::string scheduled(std::string schedule, std::chrono::minutes ahead,
                        const std::string& more = "") {
    const std::string time = base::to_iso8601(clock().now() + ahead).substr(0, 16);
    schedule.replace(schedule.find("$1"), 2, time);
    return "{" + more + R"("schedulingConfig": {)" + schedule + "}}";
  }
  void settle() {
    for (int i = 0; i < 1000 && control().iot_jobs.step(); ++i) {
    }
  }
  fleet::JobCounts counts(const std::string& id) { return control().iot_jobs.require(id).counts; }
  JobUpdateResult say(const std::string& thing, const std::string& id, JobStatus status) {
    auto result = report(thing, id, status);
    settle();
    return result;
  }
};

TEST_F(IotJobsTest, ReachesEveryDeviceOnceAndIsCompletedWhenAllHaveEnded) {
  create("j");
  settle();
  EXPECT_EQ(counts("j").queued, 30);
  for (int i = 0; i < 30; ++i) {
    const std::string thing = "t" + std::to_string(100 + i);
    const auto begun = control().jobs.start_next(thing, {});
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->execution_number, 1);
    (void)say(thing, "j", i == 3 ? JobStatus::failed : JobStatus::succeeded);
  }
  const IotJob job = control().iot_jobs.require("j");
  EXPECT_EQ(job.state, IotJobState::completed);
  EXPECT_EQ(job.counts.succeeded, 29);
  EXPECT_EQ(job.counts.failed, 1);
}

TEST_F(IotJobsTest, KeepsItsRateThroughAKilledServer) {
  create("j", R"({"jobExecutionsRolloutConfig": {"maximumPerMinute": 6}})");
  settle();
  EXPECT_EQ(counts("j").queued, 1);
  for (std::int64_t told = 2; told <= 6; ++told) {
    clock().advance(std::chrono::seconds(5));
    restart();
    serve_nobody();
    settle();
    EXPECT_EQ(counts("j").queued, told - 1);
    clock().advance(std::chrono::seconds(5));
    settle();
    EXPECT_EQ(counts("j").queued, told);
  }
  // Nobody is flooded after a standstill.
  clock().advance(std::chrono::hours(1));
  settle();
  EXPECT_EQ(counts("j").queued, 7);
}

TEST_F(IotJobsTest, NobodyGetsItBeforeItsStartAlsoThroughAKilledServer) {
  create("later", scheduled(R"("startTime": "$1")", std::chrono::hours(1)));
  create("now");
  settle();
  EXPECT_EQ(control().iot_jobs.require("later").state, IotJobState::scheduled);
  EXPECT_EQ(counts("later").queued, 0);
  EXPECT_EQ(counts("now").queued, 30);
  clock().advance(std::chrono::minutes(58));
  restart();
  serve_nobody();
  settle();
  EXPECT_EQ(counts("later").queued, 0);
  clock().advance(std::chrono::minutes(2));
  settle();
  EXPECT_EQ(control().iot_jobs.require("later").state, IotJobState::in_progress);
  EXPECT_EQ(counts("later").queued, 30);
}

TEST_F(IotJobsTest, AtItsEndWhoHasItFinishesAndNobodyElseGetsIt) {
  create("j", scheduled(R"("endTime": "$1")", std::chrono::hours(1),
                        R"("jobExecutionsRolloutConfig": {"maximumPerMinute": 1},)"));
  settle();
  EXPECT_EQ(counts("j").queued, 1);
  clock().advance(std::chrono::hours(1));
  restart();
  serve_nobody();
  settle();
  EXPECT_EQ(counts("j").queued, 1);
  EXPECT_EQ(control().iot_jobs.require("j").state, IotJobState::in_progress);
  (void)say("t100", "j", JobStatus::succeeded);
  const IotJob job = control().iot_jobs.require("j");
  EXPECT_EQ(job.state, IotJobState::completed);
  EXPECT_EQ(job.counts.succeeded, 1);
}

TEST_F(IotJobsTest, AtItsEndItIsTakenBackFromWhoHasNotBegunOrFromAll) {
  for (const auto& [behaviour, in_progress, canceled] :
       {std::tuple{"CANCEL", 1, 29}, {"FORCE_CANCEL", 0, 30}}) {
    const std::string id = std::string("j-") + behaviour;
    create(id, scheduled(R"("endTime": "$1", "endBehavior": ")" + std::string(behaviour) + '"',
                         std::chrono::hours(1)));
    settle();
    ASSERT_TRUE(control().jobs.start_next("t100", {}));
    clock().advance(std::chrono::hours(1));
    settle();
    const IotJob job = control().iot_jobs.require(id);
    EXPECT_EQ(job.state, IotJobState::canceled) << behaviour;
    EXPECT_EQ(job.reason_code, "END_TIME");
    EXPECT_EQ(job.counts.in_progress, in_progress) << behaviour;
    EXPECT_EQ(job.counts.canceled, canceled) << behaviour;
    if (in_progress > 0) (void)say("t100", id, JobStatus::succeeded);
  }
}

TEST_F(IotJobsTest, AContinuousOneTakesNobodyInAfterItsEnd) {
  create("j", scheduled(R"("endTime": "$1")", std::chrono::hours(1)), TargetSelection::continuous);
  settle();
  clock().advance(std::chrono::hours(1));
  settle();
  control().things.create("late", {});
  control().things.add_to_group("late", "G");
  settle();
  EXPECT_EQ(counts("j").queued, 30);
  EXPECT_THROW(control().iot_jobs.add_targets("j", {Arns().thing("late")}, ""), base::Error);
}

TEST_F(IotJobsTest, GoesOnFromWindowToWindowAtItsRate) {
  create("j", R"json({"jobExecutionsRolloutConfig": {"maximumPerMinute": 1}, "schedulingConfig": {
                 "maintenanceWindows": [{"startTime": "cron(0 * * * ? *)",
                                         "durationInMinutes": 3}]}})json");
  settle();
  std::int64_t minutes_open = 0;
  for (int minute = 0; minute < 120; ++minute) {
    const auto before = counts("j").queued;
    const auto past_hour = std::chrono::floor<std::chrono::minutes>(
        clock().now() - std::chrono::floor<std::chrono::hours>(clock().now()));
    settle();
    if (past_hour >= std::chrono::minutes(3)) {
      EXPECT_EQ(counts("j").queued, before) << minute;
    } else {
      ++minutes_open;
    }
    if (minute == 50) {
      restart();
      serve_nobody();
    }
    clock().advance(std::chrono::minutes(1));
  }
  EXPECT_GE(minutes_open, 6);
  EXPECT_GE(counts("j").queued, 5);
  EXPECT_LE(counts("j").queued, minutes_open);
  EXPECT_TRUE(control().iot_jobs.require("j").next_window.has_value());
}

TEST_F(IotJobsTest, IsGivenUpAtItsThresholdAndWhoHasBegunGoesOn) {
  create("j", R"({"abortConfig": {"criteriaList": [{"failureType": "FAILED", "action": "CANCEL",
                 "thresholdPercentage": 50, "minNumberOfExecutedThings": 2}]}})");
  settle();
  (void)control().jobs.start_next("t105", {});
  (void)say("t100", "j", JobStatus::failed);
  EXPECT_EQ(control().iot_jobs.require("j").state, IotJobState::in_progress);
  (void)say("t101", "j", JobStatus::succeeded);
  const IotJob job = control().iot_jobs.require("j");
  EXPECT_EQ(job.state, IotJobState::canceled);
  EXPECT_EQ(job.reason_code, "ABORTED");
  EXPECT_EQ(job.counts.canceled, 27);
  EXPECT_EQ(job.counts.in_progress, 1);
  EXPECT_FALSE(say("t105", "j", JobStatus::succeeded).rejection);
}

TEST_F(IotJobsTest, AFailureIsTriedAgainAsOftenAsWasSaid) {
  create("j", R"({"jobExecutionsRetryConfig": {"criteriaList": [{"failureType": "ALL",
                 "numberOfRetries": 2}]}})");
  settle();
  for (std::int64_t number = 1; number <= 3; ++number) {
    const auto begun = control().jobs.start_next("t100", {});
    ASSERT_TRUE(begun) << number;
    EXPECT_EQ(begun->execution_number, number);
    (void)say("t100", "j", JobStatus::failed);
  }
  EXPECT_FALSE(control().jobs.start_next("t100", {}));
  EXPECT_EQ(counts("j").failed, 1);
}

TEST_F(IotJobsTest, ADeviceThatTakesTooLongIsTimedOut) {
  create("j", R"({"timeoutConfig": {"inProgressTimeoutInMinutes": 5}})");
  settle();
  (void)control().jobs.start_next("t100", {});
  clock().advance(std::chrono::minutes(5));
  control().iot_jobs.expire();
  EXPECT_EQ(counts("j").timed_out, 0);
  clock().advance(std::chrono::seconds(1));
  control().iot_jobs.expire();
  EXPECT_EQ(counts("j").timed_out, 1);
  EXPECT_TRUE(report("t100", "j", JobStatus::succeeded).rejection);
}

TEST_F(IotJobsTest, AContinuousOneReachesWhoJoinsAndASnapshotDoesNot) {
  create("c", "{}", TargetSelection::continuous);
  create("s");
  settle();
  control().things.create("late", {});
  control().things.add_to_group("late", "G");
  settle();
  EXPECT_TRUE(control().iot_jobs.execution("c", "late"));
  EXPECT_FALSE(control().iot_jobs.execution("s", "late"));
}

TEST_F(IotJobsTest, ACanceledOneIsTakenBackAndADeletedOneLeavesNothing) {
  create("j");
  settle();
  (void)control().jobs.start_next("t100", {});
  control().iot_jobs.cancel("j", {.reason_code = "R", .comment = "c", .force = Force::yes});
  EXPECT_FALSE(control().jobs.next("t101", JobQueue::jobs));  // at once
  settle();
  EXPECT_EQ(counts("j").canceled, 30);
  control().iot_jobs.remove("j", Force::no);
  settle();
  EXPECT_FALSE(control().iot_jobs.find("j"));
  EXPECT_FALSE(control().jobs.find("t100", "j"));
}

TEST_F(IotJobsTest, TheQueueOfDeploymentsIsAnother) {
  add_component("com.ex.A", "1.0.0");
  const Deployment deployment = deploy("thing/t100", "com.ex.A", "1.0.0");
  create("j");
  settle();
  EXPECT_EQ(control().jobs.next("t100")->job_id, deployment.id);
  EXPECT_EQ(control().jobs.next("t100", JobQueue::jobs)->job_id, "j");
  EXPECT_EQ(control().jobs.pending("t100").size(), 1U);
}

TEST_F(IotJobsTest, WhatIsOverIsForgottenWithItsExecutions) {
  create("j");
  settle();
  control().iot_jobs.cancel("j", {});
  settle();
  clock().advance(std::chrono::days(2));
  while (control().iot_jobs.remove_history(clock().now() - std::chrono::days(1), 7) > 0) {
  }
  EXPECT_FALSE(control().iot_jobs.find("j"));
  EXPECT_FALSE(control().jobs.find("t100", "j"));
}

}  // namespace
}  // namespace andon::control
