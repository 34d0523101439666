// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_journal.hpp"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/installed_component.hpp"

namespace andon::edge {
namespace {

class DeploymentJournalTest : public testing::Test {
 protected:
  DeploymentRecord begin(const std::string& job, std::int64_t queued_at = 1) {
    DeploymentRecord record;
    record.job_id = job;
    record.queued_at = queued_at;
    record.state_name = to_string(DeploymentState::received);
    record.document = "{}";
    database_->write(
        [&](store::Transaction& transaction) { record.id = journal_.begin(transaction, record); });
    return record;
  }
  void write(const DeploymentRecord& record) {
    database_->write([&](store::Transaction& transaction) { journal_.write(transaction, record); });
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  base::FakeClock clock_;
  DeploymentJournal journal_{*database_, clock_};
};

TEST_F(DeploymentJournalTest, AFreshDeviceHasNothing) {
  EXPECT_FALSE(journal_.unfinished());
  EXPECT_FALSE(journal_.latest());
  EXPECT_TRUE(journal_.last_good().components.empty());
  EXPECT_TRUE(journal_.known_jobs().empty());
}

TEST_F(DeploymentJournalTest, ReadsBackWhatWasWritten) {
  DeploymentRecord record = begin("job", 7);
  record.state_name = "FETCHED";
  record.bytes_fetched = 12;
  record.failed_in = "RESOLVED";
  InstalledComponent component = installed_component("app");
  record.plan = InstalledSet{{component}, {}};
  record.previous_configuration = Configurations{{"app", {{"a", 1}}}};
  record.failure = FailureReport{"why", {"A"}, {"B"}, false};
  write(record);
  const DeploymentRecord back = journal_.unfinished().value();
  EXPECT_EQ(back.id, record.id);
  EXPECT_EQ(back.job_id, "job");
  EXPECT_EQ(back.queued_at, 7);
  EXPECT_EQ(back.state(), DeploymentState::fetched);
  EXPECT_EQ(back.bytes_fetched, 12U);
  EXPECT_EQ(back.failed_in, "RESOLVED");
  EXPECT_EQ(back.plan->components.at(0).version, "1.0.0");
  EXPECT_EQ(back.previous_configuration->at("app").at("a"), 1);
  EXPECT_EQ(back.failure->cause, "why");
}

TEST_F(DeploymentJournalTest, WhatHasEndedIsTheLatestButNotUnfinished) {
  DeploymentRecord record = begin("job");
  record.state_name = "SUCCEEDED";
  write(record);
  EXPECT_FALSE(journal_.unfinished());
  EXPECT_EQ(journal_.latest().value().job_id, "job");
}

TEST_F(DeploymentJournalTest, AStateOfALaterVersionIsUnfinishedAndUnknown) {
  DeploymentRecord record = begin("job");
  record.state_name = "TELEPORTING";
  write(record);
  EXPECT_FALSE(journal_.unfinished().value().state());
}

TEST_F(DeploymentJournalTest, CountsAttemptsUntilTheStateMoves) {
  DeploymentRecord record = begin("job");
  journal_.count_attempt(record);
  journal_.count_attempt(record);
  EXPECT_EQ(journal_.unfinished().value().attempts, 2);
  record.state_name = "RESOLVED";
  write(record);
  EXPECT_EQ(journal_.unfinished().value().attempts, 0);
}

TEST_F(DeploymentJournalTest, KeepsTheNewestDeployments) {
  for (int i = 0; i < DeploymentJournal::kRowsKept + 10; ++i) begin("job-" + std::to_string(i), i);
  const auto known = journal_.known_jobs();
  ASSERT_EQ(std::ssize(known), DeploymentJournal::kRowsKept);
  EXPECT_EQ(known.front().job_id, "job-10");
  EXPECT_EQ(known.back().queued_at, DeploymentJournal::kRowsKept + 9);
}

TEST_F(DeploymentJournalTest, ATransactionThatFailsChangesNothing) {
  InstalledComponent component = installed_component("app");
  EXPECT_THROW(database_->write([&](store::Transaction& transaction) {
    DeploymentJournal::write_last_good(transaction, {{component}, {}});
    throw base::Error(base::ErrorCode::internal, "as told");
  }),
               base::Error);
  EXPECT_TRUE(journal_.last_good().components.empty());
  database_->write([&](store::Transaction& transaction) {
    DeploymentJournal::write_last_good(transaction, {{component}, {}});
  });
  EXPECT_EQ(journal_.last_good().components.at(0).name, "app");
}

}  // namespace
}  // namespace andon::edge
