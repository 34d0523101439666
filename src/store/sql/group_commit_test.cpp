// SPDX-License-Identifier: Apache-2.0
#include "store/sql/group_commit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() {
    database->migrate("test", {{"numbers", "CREATE TABLE numbers (n BIGINT PRIMARY KEY)"}});
  }
  static void insert(Transaction& tx, std::int64_t number) {
    tx.execute("INSERT INTO numbers (n) VALUES ($1)", {number});
  }
  [[nodiscard]] std::int64_t count() const {
    std::int64_t found = 0;
    database->read(
        [&](Transaction& tx) { found = tx.query_one("SELECT count(*) FROM numbers")->integer(0); });
    return found;
  }

  base::TemporaryDirectory directory;
  std::unique_ptr<Database> database = open_sqlite(directory.path() / "test.db");
};

TEST_F(GroupCommitTest, WhatWaitsWhileOneGroupIsStoredSharesTheNextCommit) {
  constexpr std::int64_t kPieces = 100;
  std::promise<void> first_is_in;
  std::promise<void> may_go_on;
  std::promise<void> all_done;
  std::atomic<std::int64_t> left = kPieces;
  GroupCommit commits(*database);
  commits.submit(
      [&](Transaction& tx) {
        insert(tx, 0);
        first_is_in.set_value();
        may_go_on.get_future().wait();
      },
      nullptr);
  first_is_in.get_future().wait();
  for (std::int64_t i = 1; i <= kPieces; ++i) {
    commits.submit([i](Transaction& tx) { insert(tx, i); },
                   [&](const std::exception_ptr& failure) {
                     EXPECT_EQ(failure, nullptr);
                     if (--left == 0) all_done.set_value();
                   });
  }
  may_go_on.set_value();
  all_done.get_future().wait();
  EXPECT_EQ(count(), kPieces + 1);
  EXPECT_EQ(commits.counts().commits, 2U);
  EXPECT_EQ(commits.counts().pieces, 101U);
}

TEST_F(GroupCommitTest, APieceThatThrowsIsUndoneAlone) {
  GroupCommit commits(*database);
  std::promise<void> may_go_on;
  std::promise<std::exception_ptr> failed;
  commits.submit([&](Transaction&) { may_go_on.get_future().wait(); }, nullptr);
  commits.submit([](Transaction& tx) { insert(tx, 1); }, nullptr);
  commits.submit(
      [](Transaction& tx) {
        insert(tx, 2);
        insert(tx, 1);
      },
      [&](std::exception_ptr failure) { failed.set_value(std::move(failure)); });
  commits.submit([](Transaction& tx) { insert(tx, 3); }, nullptr);
  may_go_on.set_value();
  const std::exception_ptr failure = failed.get_future().get();
  ASSERT_NE(failure, nullptr);
  try {
    std::rethrow_exception(failure);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::already_exists);
  }
  commits.write([](Transaction&) {});
  EXPECT_EQ(count(), 2);
}

TEST_F(GroupCommitTest, TheDestructorStoresWhatWasHandedIn) {
  {
    GroupCommit commits(*database);
    for (std::int64_t i = 0; i < 50; ++i) {
      commits.submit([i](Transaction& tx) { insert(tx, i); }, nullptr);
    }
  }
  EXPECT_EQ(count(), 50);
}

TEST_F(GroupCommitTest, MoreThanTheQueueHoldsIsRefused) {
  std::promise<void> is_in;  // before what uses them on its thread
  std::promise<void> may_go_on;
  GroupCommit commits(*database, {.pieces = 1, .queued = 2});
  commits.submit(
      [&](Transaction&) {
        is_in.set_value();
        may_go_on.get_future().wait();
      },
      nullptr);
  is_in.get_future().wait();
  commits.submit([](Transaction&) {}, nullptr);
  commits.submit([](Transaction&) {}, nullptr);
  EXPECT_THROW(commits.submit([](Transaction&) {}, nullptr), base::Error);
  may_go_on.set_value();
}

}  // namespace
}  // namespace andon::store
