// SPDX-License-Identifier: Apache-2.0
#include "control/shared/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "base/os/file.hpp"
#include "control/shared/schema.hpp"
#include "store/sql/database.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() { migrate_schema(*database_); }

  void append(const std::string& subject) {
    database_->write(
        [&](store::Transaction& tx) { Outbox::append(tx, kJobsChanged, subject, now_); });
  }
  OutboxBatch read(std::string_view consumer, std::size_t limit = 100) {
    OutboxBatch batch;
    database_->read([&](store::Transaction& tx) { batch = Outbox::read(tx, consumer, limit); });
    return batch;
  }
  std::vector<std::string> subjects(std::string_view consumer, std::size_t limit = 100) {
    std::vector<std::string> all;
    for (const OutboxEntry& entry : read(consumer, limit).entries) all.push_back(entry.subject);
    return all;
  }
  void act_on(std::string_view consumer, std::size_t count) {
    const OutboxBatch batch = read(consumer, count);
    database_->write(
        [&](store::Transaction& tx) { Outbox::advance(tx, consumer, batch.entries.back().id); });
  }
  std::int64_t trim(std::chrono::hours age, std::int64_t limit = 100) {
    std::int64_t removed = 0;
    database_->write(
        [&](store::Transaction& tx) { removed = Outbox::trim(tx, now_ - age, limit); });
    return removed;
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "andon.db");
  base::Timestamp now_ = base::from_epoch_millis(1'795'343'912'000);
};

TEST_F(OutboxTest, EachConsumerReadsEverythingInOrderFromItsOwnCursor) {
  for (const auto* subject : {"a", "b", "c"}) append(subject);
  EXPECT_THAT(subjects("one", 2), ElementsAre("a", "b"));
  act_on("one", 2);
  EXPECT_THAT(subjects("one"), ElementsAre("c"));
  EXPECT_THAT(subjects("two"), ElementsAre("a", "b", "c"));
}

TEST_F(OutboxTest, ARowOfATransactionThatFailedIsNotThere) {
  EXPECT_THROW(database_->write([&](store::Transaction& tx) {
    Outbox::append(tx, kJobsChanged, "never", now_);
    throw std::runtime_error("the disk is full");
  }),
               std::runtime_error);
  append("after");
  EXPECT_THAT(subjects("one"), ElementsAre("after"));
  EXPECT_FALSE(read("one").has_gap);
}

TEST_F(OutboxTest, WhatWasNotActedOnIsReadAgainAfterARestart) {
  for (const auto* subject : {"a", "b"}) append(subject);
  act_on("one", 1);
  EXPECT_THAT(subjects("one"), ElementsAre("b"));
  database_ = store::open_sqlite(directory_.path() / "andon.db");
  EXPECT_THAT(subjects("one"), ElementsAre("b"));
}

TEST_F(OutboxTest, WhatEveryConsumerHasReadGoesInBoundedSteps) {
  for (const auto* subject : {"a", "b", "c", "d"}) append(subject);
  EXPECT_EQ(trim(std::chrono::hours(24)), 0);  // nobody has read anything
  act_on("one", 4);
  act_on("two", 3);
  EXPECT_EQ(trim(std::chrono::hours(24), 2), 2);
  EXPECT_EQ(trim(std::chrono::hours(24), 2), 1);
  EXPECT_EQ(trim(std::chrono::hours(24), 2), 0);
  EXPECT_THAT(subjects("two"), ElementsAre("d"));
  EXPECT_FALSE(read("two").has_gap);
}

TEST_F(OutboxTest, AConsumerThatStoodStillForTooLongLearnsThatItMissedRows) {
  for (const auto* subject : {"a", "b", "c"}) append(subject);
  act_on("one", 1);
  now_ += std::chrono::hours(200);
  append("d");
  EXPECT_EQ(trim(std::chrono::hours(168)), 3);
  EXPECT_THAT(subjects("one"), ElementsAre("d"));
  EXPECT_TRUE(read("one").has_gap);
  act_on("one", 1);
  EXPECT_THAT(subjects("one"), IsEmpty());
  append("e");
  EXPECT_FALSE(read("one").has_gap);
}

TEST_F(OutboxTest, AWakeReachesTheListenerUntilItGoes) {
  Outbox outbox;
  outbox.wake();
  int woken = 0;
  outbox.set_listener([&] { ++woken; });
  outbox.wake();
  outbox.set_listener(nullptr);
  outbox.wake();
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace andon::control
