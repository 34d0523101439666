// SPDX-License-Identifier: Apache-2.0
#include "edge/job_client.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "edge/mqtt_link_fake.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

const std::string kPrefix = "$aws/things/dev1/jobs/";
const std::string kGet = kPrefix + "$next/namespace-aws-gg-deployment/get";
const std::string kExecution =
    R"("execution":{"jobId":"job-1","queuedAt":5,"jobDocument":{"components":{}}})";

class JobClientTest : public testing::Test {
 protected:
  void report(const std::string& job, const std::string& status) {
    database_->write([&](store::Transaction& transaction) {
      client_->enqueue(transaction, job, {.status = status});
    });
    client_->flush();
  }
  void restart() {
    client_.reset();
    link_.forget_listeners();
    make_client();
  }
  void make_client() {
    client_ = std::make_unique<JobClient>(
        loop_, link_, *database_, "dev1",
        JobClient::Handlers{[this](const Job& job) { jobs_.push_back(job.job_id); },
                            [this] { ++nones_; }});
  }
  // Topics of what is published, the prefix left out; then forgets them.
  std::vector<std::string> sent() {
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
  EventLoop loop_;
  FakeMqttLink link_;
  std::unique_ptr<JobClient> client_;
  std::vector<std::string> jobs_;
  int nones_ = 0;
  std::string last_payload_;
};

TEST_F(JobClientTest, AsksOnEachConnectionAndHandsOnWhatItGets) {
  make_client();
  link_.connect(true);
  EXPECT_EQ(sent(), Texts{"$next/namespace-aws-gg-deployment/get"});
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-1",)" + kExecution + "}");
  EXPECT_EQ(jobs_, Texts{"job-1"});
  link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", "{" + kExecution + "}");
  EXPECT_EQ(jobs_.size(), 2U);
}

TEST_F(JobClientTest, AnEmptyNotificationIsBelievedOnlyAfterAsking) {
  make_client();
  link_.connect(true);
  link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", R"({"timestamp":1})");
  EXPECT_EQ(nones_, 0);
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-1"})");  // of the first question
  EXPECT_EQ(nones_, 0);
  link_.arrive(kGet + "/accepted", R"({"clientToken":"andon-get-2"})");
  EXPECT_EQ(nones_, 1);
}

TEST_F(JobClientTest, ReportsGoOutInOrderEachAfterTheAnswerToTheOneBefore) {
  make_client();
  link_.connect(true);
  sent();
  report("job-1", "IN_PROGRESS");
  report("job-1", "SUCCEEDED");
  EXPECT_EQ(sent(), Texts{"job-1/namespace-aws-gg-deployment/update"});
  EXPECT_NE(last_payload_.find("IN_PROGRESS"), std::string::npos);
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted",
               R"({"clientToken":"andon-update-1"})");
  EXPECT_EQ(sent(), Texts{"job-1/namespace-aws-gg-deployment/update"});
  EXPECT_NE(last_payload_.find("SUCCEEDED"), std::string::npos);
}

TEST_F(JobClientTest, AReportOutlivesARestartAndABrokenConnection) {
  make_client();
  report("job-1", "SUCCEEDED");
  restart();
  link_.connect(true);
  EXPECT_EQ(sent().front(), "job-1/namespace-aws-gg-deployment/update");
  link_.connect(false);
  link_.connect(true);
  EXPECT_EQ(sent().front(), "job-1/namespace-aws-gg-deployment/update");
}

TEST_F(JobClientTest, AFinalRejectionIsNotRepeatedAndAPassingOneIs) {
  make_client();
  link_.connect(true);
  sent();
  report("job-1", "SUCCEEDED");
  report("job-2", "SUCCEEDED");
  sent();
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/rejected",
               R"({"clientToken":"andon-update-1","code":"InternalError"})");
  EXPECT_TRUE(sent().empty());  // the timer will repeat it
  link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/rejected",
               R"({"clientToken":"andon-update-1","code":"TerminalStateReached"})");
  EXPECT_EQ(sent(), Texts{"job-2/namespace-aws-gg-deployment/update"});
}

TEST_F(JobClientTest, WhatCannotBeReadDoesNoHarm) {
  make_client();
  link_.connect(true);
  for (const char* payload :
       {"", "x", "[]", R"({"execution":5})", R"({"execution":{"jobId":"a/b"}})"}) {
    link_.arrive(kPrefix + "notify-next-namespace-aws-gg-deployment", payload);
    link_.arrive(kPrefix + "job-1/namespace-aws-gg-deployment/update/accepted", payload);
  }
  EXPECT_TRUE(jobs_.empty());
}

TEST(JobMessages, CarryTheOutcomeAsClassicDevicesDo) {
  JobStatus status{"FAILED",
                   "FAILED_ROLLBACK_COMPLETE",
                   std::string(2000, 'x'),
                   {"DEPLOYMENT_FAILURE", "COMPONENT_BROKEN"},
                   {"USER_COMPONENT_ERROR"}};
  const json::object update = make_update("dev1", "job-1", status);
  const json::object& details = update.at("statusDetails").as_object();
  EXPECT_EQ(details.at("detailed-deployment-status"), "FAILED_ROLLBACK_COMPLETE");
  EXPECT_EQ(details.at("deployment-failure-cause").as_string().size(), 1024U);
  EXPECT_EQ(details.at("deployment-error-stack"), R"(["DEPLOYMENT_FAILURE","COMPONENT_BROKEN"])");
}

}  // namespace
}  // namespace andon::edge
