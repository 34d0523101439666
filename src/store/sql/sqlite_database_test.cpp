// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "base/error/error.hpp"
#include "store/sql/database.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;

const std::vector<Migration> kMigrations = {
    {"first",
     "CREATE TABLE part (name TEXT PRIMARY KEY, weight REAL, count INTEGER, data BLOB);"
     "CREATE TABLE use (part TEXT NOT NULL REFERENCES part (name));"}};

class SqliteDatabaseTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Database> open(const SqliteOptions& options = {}) const {
    auto database = open_sqlite(path, options);
    database->migrate("test", kMigrations);
    return database;
  }
  static std::int64_t count(const Database& database) {
    std::int64_t rows = -1;
    database.read(
        [&](Transaction& tx) { rows = tx.query_one("SELECT count(*) FROM part")->integer(0); });
    return rows;
  }
  static void insert(Database& database, const std::string& name) {
    database.write(
        [&](Transaction& tx) { tx.execute("INSERT INTO part (name) VALUES ($1)", {name}); });
  }
  template <typename Work>
  static Error error_of(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error was thrown";
    return {ErrorCode::internal, ""};
  }

  base::TemporaryDirectory directory;
  base::fs::path path = directory.path() / "andon.db";
};

TEST_F(SqliteDatabaseTest, GivesBackEachTypeAsItWasPut) {
  auto database = open();
  const std::string bytes("\0\xff\n", 3);
  database->write([&](Transaction& tx) {
    EXPECT_EQ(tx.execute("INSERT INTO part (count, name, weight, data) VALUES ($3, $1, $2, $4)",
                         {std::string("a'b"), 0.5, std::int64_t{1} << 40U, Blob{bytes}}),
              1);
    tx.execute("INSERT INTO part (name) VALUES ($1)", {std::string("empty")});
  });
  database->read([&](Transaction& tx) {
    const auto rows = tx.query("SELECT name, weight, count, data FROM part ORDER BY name");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].text(0), "a'b");
    EXPECT_EQ(rows[0].real(1), 0.5);
    EXPECT_EQ(rows[0].integer(2), std::int64_t{1} << 40U);
    EXPECT_EQ(rows[0].blob(3), bytes);
    EXPECT_TRUE(rows[1].is_null(1));
    EXPECT_EQ(rows[1].optional_integer(2), std::nullopt);
    EXPECT_THROW((void)rows[0].integer(0), Error);
    EXPECT_THROW((void)rows[0].integer(9), Error);
    EXPECT_FALSE(tx.query_one("SELECT 1 FROM part WHERE name = $1", {std::string("x")}));
  });
}

TEST_F(SqliteDatabaseTest, WaitsForTheDiskButWhereItIsAskedNotTo) {
  constexpr std::int64_t kNormal = 1;
  constexpr std::int64_t kFull = 2;
  auto database = open();
  const auto level = [](Transaction& tx) { return tx.query_one("PRAGMA synchronous")->integer(0); };
  EXPECT_EQ(database->write(level), kFull);
  EXPECT_EQ(database->write_unsynced(level), kNormal);
  database->write_unsynced(
      [](Transaction& tx) { tx.execute("INSERT INTO part (name) VALUES ('a')"); });
  EXPECT_EQ(count(*database), 1);
  EXPECT_THROW(database->write_unsynced(
                   [](Transaction&) -> void { throw Error(ErrorCode::internal, "no"); }),
               Error);
  EXPECT_EQ(database->write(level), kFull);
  EXPECT_EQ(count(*open()), 1);
}

TEST_F(SqliteDatabaseTest, MakesAFileThatOnlyItsOwnerReads) {
  auto database = open();
  insert(*database, "a");
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    ASSERT_EQ(stat((path.string() + suffix).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(SqliteDatabaseTest, TranslatesErrorsWithoutTheValues) {
  auto database = open();
  insert(*database, "secret");
  const Error twice = error_of([&] { insert(*database, "secret"); });
  EXPECT_EQ(twice.code(), ErrorCode::already_exists);
  EXPECT_THAT(twice.message(), testing::Not(testing::HasSubstr("secret")));
  EXPECT_THAT(twice.message(), testing::HasSubstr("INSERT INTO part"));
  EXPECT_EQ(error_of([&] {
              database->write([](Transaction& tx) {
                tx.execute("INSERT INTO use (part) VALUES ($1)", {std::string("none")});
              });
            }).code(),
            ErrorCode::failed_precondition);
  EXPECT_EQ(error_of([&] {
              database->read([](Transaction& tx) {
                tx.execute("INSERT INTO part (name) VALUES ($1)", {std::string("b")});
              });
            }).code(),
            ErrorCode::failed_precondition);
}

TEST_F(SqliteDatabaseTest, AFullDiskIsSaidAndWhatWasThereStays) {
  auto database = open();
  insert(*database, "before");
  const Error full = error_of([&] {
    database->write([](Transaction& tx) {
      (void)tx.query("PRAGMA max_page_count = 1");  // no page more than there are
      tx.execute("INSERT INTO part (name, data) VALUES ($1, $2)",
                 {std::string("big"), Blob{std::string(100'000, 'x')}});
    });
  });
  EXPECT_EQ(full.code(), ErrorCode::resource_exhausted);
  EXPECT_THAT(full.message(), testing::HasSubstr("free disk space"));
  EXPECT_EQ(count(*database), 1);
}

TEST_F(SqliteDatabaseTest, RefusesStatementsWhoseValuesDoNotFit) {
  auto database = open();
  database->read([](Transaction& tx) {
    EXPECT_THROW(tx.query("SELECT $1, $2", {std::int64_t{1}}), Error);
    EXPECT_THROW(tx.query("SELECT $1", {std::int64_t{1}, std::int64_t{2}}), Error);
    EXPECT_THROW(tx.query("SELECT 1; SELECT 2"), Error);
    EXPECT_THROW(tx.query("SELECT nothing FROM nowhere"), Error);
    EXPECT_EQ(tx.query_one("SELECT $1 + $1", {std::int64_t{2}})->integer(0), 4);
  });
}

TEST_F(SqliteDatabaseTest, RollsBackWhenTheWorkThrows) {
  auto database = open();
  EXPECT_THROW(database->write([](Transaction& tx) {
    tx.execute("INSERT INTO part (name) VALUES ($1)", {std::string("a")});
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(count(*database), 0);
  insert(*database, "b");
  EXPECT_EQ(count(*database), 1);
}

TEST_F(SqliteDatabaseTest, GivesWhatTheWorkReturns) {
  auto database = open();
  const std::int64_t changed = database->write(
      [&](Transaction& tx) { return tx.execute("INSERT INTO part (name) VALUES ('a'), ('b')"); });
  EXPECT_EQ(changed, 2);
  const auto row = database->read(
      [&](Transaction& tx) { return tx.query_one("SELECT name FROM part ORDER BY name DESC"); });
  EXPECT_EQ(row->text(0), "b");
}

TEST_F(SqliteDatabaseTest, ReadersSeeOneSnapshotWhileAWriterWrites) {
  auto database = open();
  database->read([&](Transaction& tx) {
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM part")->integer(0), 0);
    insert(*database, "a");
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM part")->integer(0), 0);
  });
  EXPECT_EQ(count(*database), 1);
}

TEST_F(SqliteDatabaseTest, ServesManyThreadsAtOnce) {
  auto database = open();
  std::atomic<bool> torn = false;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 20; ++i) {
        database->write([&](Transaction& tx) {
          const std::string name = std::to_string(writer) + "-" + std::to_string(i);
          tx.execute("INSERT INTO part (name) VALUES ($1)", {name + "a"});
          tx.execute("INSERT INTO part (name) VALUES ($1)", {name + "b"});
        });
      }
    });
  }
  for (int reader = 0; reader < 6; ++reader) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        if (count(*database) % 2 != 0) torn = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(torn);
  EXPECT_EQ(count(*database), 120);
}

TEST_F(SqliteDatabaseTest, GivesUpWaitingForAnotherWriter) {
  auto database = open({.lock_timeout = std::chrono::milliseconds(20)});
  database->write([&](Transaction&) {
    EXPECT_EQ(error_of([&] { insert(*database, "nested"); }).code(), ErrorCode::internal);
    std::thread other([&] {
      EXPECT_EQ(error_of([&] { insert(*database, "a"); }).code(), ErrorCode::unavailable);
    });
    other.join();
  });
  insert(*database, "a");
}

TEST_F(SqliteDatabaseTest, KeepsCommittedAndDropsUnfinishedTransactionsWhenKilled) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto database = open();
    insert(*database, "committed");
    database->write([](Transaction& tx) {
      for (int i = 0; i < 5000; ++i) {
        tx.execute("INSERT INTO part (name, data) VALUES ($1, $2)",
                   {std::to_string(i), Blob{std::string(1000, 'x')}});
      }
      raise(SIGKILL);
    });
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto database = open();
  EXPECT_EQ(count(*database), 1);
  insert(*database, "after");
}

TEST_F(SqliteDatabaseTest, RefusesAFileThatIsNotADatabase) {
  base::write_file_atomically(path, std::string(8192, 'x'));
  const Error error = error_of([&] { (void)open_sqlite(path); });
  EXPECT_EQ(error.code(), ErrorCode::data_corrupted);
  EXPECT_THAT(error.message(), testing::HasSubstr(path.string()));
}

TEST_F(SqliteDatabaseTest, ReportsDamagedPagesAsCorruption) {
  {
    auto database = open();
    for (int i = 0; i < 200; ++i) insert(*database, std::to_string(i) + std::string(200, 'x'));
  }
  std::string bytes = base::read_file(path);
  ASSERT_GT(bytes.size(), 16384U);
  for (std::size_t at = 8192; at < bytes.size(); ++at) bytes[at] = '\x5a';
  base::write_file_atomically(path, bytes, 0600);
  EXPECT_EQ(error_of([&] {
              auto database = open_sqlite(path);
              database->read(
                  [](Transaction& tx) { (void)tx.query("SELECT name FROM part ORDER BY name"); });
            }).code(),
            ErrorCode::data_corrupted);
}

TEST_F(SqliteDatabaseTest, WhoWritesAllTheTimeLeavesEachOtherWriterItsTurn) {
  auto database = open();
  std::atomic<bool> is_served = false;
  std::thread other;
  int writes = 0;
  for (; !is_served && writes < 5000; ++writes) {
    database->write([&](Transaction& tx) {
      tx.execute("INSERT INTO part (name) VALUES ($1)", {"busy" + std::to_string(writes)});
      if (writes > 0) return;
      other = std::thread([&] { database->write([&](Transaction&) { is_served = true; }); });
    });
  }
  EXPECT_TRUE(is_served) << "not within " << writes << " other transactions";
  other.join();
}

TEST_F(SqliteDatabaseTest, AppliesEachMigrationOnceAndEachComponentsOwn) {
  {
    auto database = open();
    insert(*database, "a");
    database->migrate("other", {{"first", "CREATE TABLE other (a)"}});
  }
  auto database = open();
  auto more = kMigrations;
  more.push_back({"second", "ALTER TABLE part ADD COLUMN colour TEXT"});
  database->migrate("test", more);
  database->migrate("test", more);
  database->read(
      [](Transaction& tx) { EXPECT_TRUE(tx.query_one("SELECT colour FROM part")->is_null(0)); });
  EXPECT_EQ(error_of([&] { database->migrate("test", kMigrations); }).code(),
            ErrorCode::failed_precondition);
}

std::vector<base::fs::path> copies_beside(const base::fs::path& path) {
  std::vector<base::fs::path> found;
  for (const auto& entry : base::fs::directory_iterator(path.parent_path())) {
    if (entry.path().string().starts_with(path.string() + ".before-")) {
      found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

TEST_F(SqliteDatabaseTest, KeepsCopiesFromBeforeItsSchemaChangesAndForgetsTheOldest) {
  insert(*open(), "a");
  { auto again = open(); }
  EXPECT_TRUE(copies_beside(path).empty());  // what is new, and what does not change
  for (const char* time : {"20200101T000000Z", "20210101T000000Z"}) {
    base::write_file_atomically(path.string() + ".before-" + time, "older");
  }
  auto more = kMigrations;
  more.push_back({"second", "DROP TABLE part; CREATE TABLE part (other)"});
  {
    auto changed = open_sqlite(path);
    changed->migrate("test", more);
    changed->migrate("other", {{"first", "CREATE TABLE other (a)"}});  // the same start, one copy
  }
  const auto copies = copies_beside(path);
  ASSERT_EQ(copies.size(), 2U);
  EXPECT_THAT(copies[0].string(), testing::EndsWith(".before-20210101T000000Z"));
  struct stat status {};
  ASSERT_EQ(stat(copies[1].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  // The version before refuses what it does not know, and takes the copy.
  const Error refused = error_of([&] { static_cast<void>(open()); });
  EXPECT_THAT(refused.message(), testing::HasSubstr("a newer version of andon (test: second)"));
  path = copies[1];
  EXPECT_EQ(count(*open()), 1);
}

TEST_F(SqliteDatabaseTest, ChangesNoSchemaOfWhichNoCopyCouldBeMade) {
  insert(*open(), "a");
  base::make_directories(path.string() + ".copy/taken");
  auto database = open_sqlite(path);
  auto more = kMigrations;
  more.push_back({"second", "DROP TABLE use"});
  const Error refused = error_of([&] { database->migrate("test", more); });
  EXPECT_THAT(refused.message(), testing::HasSubstr("nothing was changed"));
  EXPECT_EQ(count(*open()), 1);  // the version before runs on
}

TEST_F(SqliteDatabaseTest, AppliesAMigrationWholeOrNotAtAll) {
  auto database = open();
  auto more = kMigrations;
  more.push_back({"second", "CREATE TABLE half (a); CREATE TABLE part (a);"});
  EXPECT_THROW(database->migrate("test", more), Error);
  more.back() = {"second", "CREATE TABLE half (a)"};
  EXPECT_NO_THROW(database->migrate("test", more));
}

}  // namespace
}  // namespace andon::store
