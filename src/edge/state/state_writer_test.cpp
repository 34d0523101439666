// SPDX-License-Identifier: Apache-2.0
#include "edge/state/state_writer.hpp"

#include <gtest/gtest.h>

#include <future>

#include "base/error/error.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/settle.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kInsert = "INSERT INTO counters (name, number) VALUES ($1, 1)";

class StateWriterTest : public testing::Test {
 protected:
  std::int64_t count() const {
    std::int64_t rows = 0;
    database_->read([&](store::Transaction& transaction) {
      rows = transaction.query_one("SELECT count(*) FROM counters").value().integer(0);
    });
    return rows;
  }
  static StateWriter::Work insert(const std::string& name) {
    return [name](store::Transaction& transaction) { transaction.execute(kInsert, {name}); };
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  EventLoop loop_;
};

TEST_F(StateWriterTest, TellsOfEachPieceInOrderOnceItIsDurable) {
  StateWriter writer(loop_, *database_);
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    writer.run(insert(std::string(1, name)), [&, name](const std::exception_ptr& error) {
      EXPECT_EQ(error, nullptr);
      order += name;
    });
  }
  settle(loop_, writer);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(count(), 3);
}

TEST_F(StateWriterTest, ABatchIsSyncedWhereOneOfItsPiecesWants) {
  constexpr std::int64_t kNormal = 1;
  constexpr std::int64_t kFull = 2;
  StateWriter writer(loop_, *database_);
  std::promise<void> go;
  // While it waits, the others gather for one transaction.
  writer.run([&](store::Transaction&) { go.get_future().wait(); });
  std::vector<std::int64_t> levels;
  const auto note_level = [&](store::Transaction& transaction) {
    levels.push_back(transaction.query_one("PRAGMA synchronous").value().integer(0));
  };
  writer.run_unsynced(note_level);
  writer.run(note_level);
  go.set_value();
  settle(loop_, writer);
  writer.run_unsynced(note_level);
  settle(loop_, writer);
  EXPECT_EQ(levels, (std::vector{kFull, kFull, kNormal}));
}

TEST_F(StateWriterTest, APieceThatFailsTakesNothingOfItsNeighboursWithIt) {
  StateWriter writer(loop_, *database_);
  std::promise<void> go;
  // While it waits, the others gather for one transaction.
  writer.run([&](store::Transaction&) { go.get_future().wait(); });
  std::string outcome;
  const auto note = [&](const std::exception_ptr& error) { outcome += error ? 'x' : '.'; };
  writer.run(insert("a"), note);
  writer.run(
      [](store::Transaction& transaction) {
        transaction.execute(kInsert, {"b"});
        throw base::Error(base::ErrorCode::internal, "no");
      },
      note);
  writer.run(insert("a"), note);  // is there already
  writer.run(insert("c"), note);
  go.set_value();
  settle(loop_, writer);
  EXPECT_EQ(outcome, ".xx.");
  EXPECT_EQ(count(), 2);
}

TEST_F(StateWriterTest, WhatComesWhileTheDiskIsBusySharesATransaction) {
  StateWriter writer(loop_, *database_);
  std::promise<void> go;
  writer.run([&](store::Transaction&) { go.get_future().wait(); });
  // The same object for all pieces of a transaction.
  const auto seen = std::make_shared<std::set<const store::Transaction*>>();
  for (int i = 0; i < 100; ++i) {
    writer.run([seen](store::Transaction& transaction) {
      transaction.execute("UPDATE counters SET number = 0");
      seen->insert(&transaction);
    });
  }
  go.set_value();
  settle(loop_, writer);
  EXPECT_EQ(seen->size(), 1U);
}

TEST_F(StateWriterTest, ItsEndWritesWhatIsWaiting) {
  {
    StateWriter writer(loop_, *database_);
    for (int i = 0; i < 1000; ++i) writer.run(insert(std::to_string(i)));
  }
  EXPECT_EQ(count(), 1000);
}

TEST_F(StateWriterTest, AFailureInTheTellingDoesNotSilenceTheOthers) {
  StateWriter writer(loop_, *database_);
  int told = 0;
  writer.run([](store::Transaction&) {});
  for (int i = 0; i < 3; ++i) {
    writer.run(insert(std::to_string(i)), [&](const std::exception_ptr&) {
      ++told;
      throw base::Error(base::ErrorCode::internal, "cannot handle it");
    });
  }
  settle(loop_, writer);
  EXPECT_EQ(told, 3);
}

}  // namespace
}  // namespace andon::edge
