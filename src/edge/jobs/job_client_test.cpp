// SPDX-License-Identifier: Apache-2.0
#include "edge/jobs/job_client.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/mqtt_link_fake.hpp"
#include "edge/testing/settle.hpp"

namespace andon::edge {
namespace {

const std::string kPrefix = "$aws/things/dev1/jobs/";
const std::string kGet = kPrefix + "$next/namespace-aws-gg-deployment/get";
const std::string kExecution =
    R"("execution":{"jobId":"job-1","queuedAt":5,"jobDocument":{"components":{}}})";

class JobClientTest : public testing::Test {
 protected:
  void report(const std::string& job, fleet::JobStatus status) {
    database_->write([&](store::Transaction& transaction) {
      JobClient::enqueue(transaction, "dev1", job, {.status = status});
    });
    client_->flush();
    settle(loop_, writer_);
  }
  void connect(bool up) {
    link_.connect(up);
    settle(loop_, writer_);
  }
  void restart() {
    client_.reset();
    link_.forget_listeners();
    make_client();
  }
  void make_client() {
    client_ = std::make_unique<JobClient>(
        loop_, link_, writer_, "dev1",
        JobClient::Handlers{[this](const fleet::Job& job) { jobs_.push_back(job.job_id); },
                            [this] { ++nones_; },
                            {},
                            [this](base::Timestamp time) { times_.push_back(time); }});
  }
  // Topics of what is published, the prefix left out; then forgets them.
  std::vector<std::string> sent() {
    settle(loop_, writer_);
    std::vector<std::string> topics;
    for (const auto& one : link_.published)
      topics.push_back(one.message.topic.substr(kPrefix.size()));
    last_payload_ = link_.published.empty() ? "" : link_.published.back().message.payload;
    link_.published.clear();
    return topics;
  }
  using Texts = std::vector<std::string>;

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  StateWriter writer_{loop_, *database_};
  FakeMqttLink link_;
  std::unique_ptr<JobClient> client_;
  std::vector<std::string> jobs_;
  int nones_ = 0;
  std::vector<base::Timestamp> times_;
  std::string last_payload_;
  int asked_ = 2;
};

TEST_F(JobClientTest, AsksOnEachConnectionAndHandsOnWhatItGets) {
  make_client();
  connect(true);
  EXPECT_EQ(sent(), Texts{"$next/namespace-aws-gg-deployment/get"});
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-1",)" + kExecution + "}");
  EXPECT_EQ(jobs_, Texts{"job-1"});
  link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", "{" + kExecution + "}");
  EXPECT_EQ(jobs_.size(), 2U);
}

TEST_F(JobClientTest, AnEmptyNotificationIsBelievedOnlyAfterAsking) {
  make_client();
  connect(true);
  link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", R"({"timestamp":1})");
  EXPECT_EQ(nones_, 0);
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-1"})");  // of the first question
  EXPECT_EQ(nones_, 0);
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-2"})");
  EXPECT_EQ(nones_, 1);
}

TEST_F(JobClientTest, LearnsTheServersTimeFromAnswersThatItHasJustAskedFor) {
  make_client();
  connect(true);
  sent();
  link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", R"({"timestamp":1})");
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-1","timestamp":2})");  // too late
  EXPECT_TRUE(times_.empty());
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-2","timestamp":1795343912})");
  EXPECT_EQ(times_, std::vector{base::from_epoch_millis(1'795'343'912'000)});
  for (const char* odd : {"-5", "1e300", "0"}) {
    client_->ask();
    link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-)" + std::to_string(++asked_) +
                                         R"(","timestamp":)" + odd + "}");
  }
  EXPECT_EQ(times_.size(), 1U);
  EXPECT_EQ(nones_, 4);
}

TEST_F(JobClientTest, ReportsGoOutInOrderEachAfterTheAnswerToTheOneBefore) {
  make_client();
  connect(true);
  sent();
  report("job-1", fleet::JobStatus::in_progress);
  report("job-1", fleet::JobStatus::succeeded);
  EXPECT_EQ(sent(), Texts{"job-1/namespace-aws-gg-deployment/update"});
  EXPECT_NE(last_payload_.find("IN_PROGRESS"), std::string::npos);
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted",
               R"({"clientToken":"andon-update-1"})");
  EXPECT_EQ(sent(), Texts{"job-1/namespace-aws-gg-deployment/update"});
  EXPECT_NE(last_payload_.find("SUCCEEDED"), std::string::npos);
}

TEST_F(JobClientTest, AReportOutlivesARestartAndABrokenConnection) {
  make_client();
  report("job-1", fleet::JobStatus::succeeded);
  restart();
  connect(true);
  EXPECT_EQ(sent().front(), "job-1/namespace-aws-gg-deployment/update");
  connect(false);
  connect(true);
  EXPECT_EQ(sent().front(), "job-1/namespace-aws-gg-deployment/update");
}

TEST_F(JobClientTest, AFinalRejectionIsNotRepeatedAndAPassingOneIs) {
  make_client();
  connect(true);
  sent();
  report("job-1", fleet::JobStatus::succeeded);
  report("job-2", fleet::JobStatus::succeeded);
  sent();
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/rejected",
               R"({"clientToken":"andon-update-1","code":"InternalError"})");
  EXPECT_TRUE(sent().empty());  // the timer will repeat it
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/rejected",
               R"({"clientToken":"andon-update-1","code":"TerminalStateReached"})");
  EXPECT_EQ(sent(), Texts{"job-2/namespace-aws-gg-deployment/update"});
}

TEST_F(JobClientTest, AQuestionAndAReportWithoutAnAnswerAreRepeated) {
  make_client();
  connect(true);
  EXPECT_EQ(sent().size(), 1U);
  report("job-1", fleet::JobStatus::succeeded);
  EXPECT_EQ(sent().size(), 1U);
  clock_.advance(std::chrono::seconds(9));
  EXPECT_TRUE(sent().empty());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(sent(), (Texts{"$next/namespace-aws-gg-deployment/get",
                           "job-1/namespace-aws-gg-deployment/update"}));
  // The answer to the newer question counts, and stops the repeating.
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-2"})");
  EXPECT_EQ(nones_, 1);
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted",
               R"({"clientToken":"andon-update-1"})");
  clock_.advance(std::chrono::seconds(60));
  EXPECT_TRUE(sent().empty());
}

TEST_F(JobClientTest, ARefusedQuestionIsAskedAgain) {
  make_client();
  connect(true);
  sent();
  link_.arrive(kGet + "/rejected", R"({"clientToken":"andon-get-1","code":"InternalError"})");
  EXPECT_EQ(nones_, 0);
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(sent(), Texts{"$next/namespace-aws-gg-deployment/get"});
}

TEST_F(JobClientTest, AnAnswerToAnEarlierReportDoesNotEndTheOneInHand) {
  make_client();
  connect(true);
  report("job-1", fleet::JobStatus::in_progress);
  report("job-1", fleet::JobStatus::succeeded);
  const std::string accepted = kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted";
  link_.arrive(accepted, R"({"clientToken":"andon-update-1"})");
  sent();
  link_.arrive(accepted, R"({"clientToken":"andon-update-1"})");  // the broker's second delivery
  EXPECT_TRUE(sent().empty());
  clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(sent().back(), "job-1/namespace-aws-gg-deployment/update");
  EXPECT_NE(last_payload_.find("SUCCEEDED"), std::string::npos);
}

TEST_F(JobClientTest, NothingIsSentOffline) {
  make_client();
  client_->ask();
  report("job-1", fleet::JobStatus::succeeded);
  EXPECT_TRUE(sent().empty());
}

TEST_F(JobClientTest, WhatCannotBeReadDoesNoHarm) {
  make_client();
  connect(true);
  for (const char* payload :
       {"", "x", "[]", R"({"execution":5})", R"({"execution":{"jobId":"a/b"}})"}) {
    link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", payload);
    link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted", payload);
  }
  EXPECT_TRUE(jobs_.empty());
}

}  // namespace
}  // namespace andon::edge
