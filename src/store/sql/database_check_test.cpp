// SPDX-License-Identifier: Apache-2.0
#include "store/sql/database_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <stop_token>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string whole(const base::fs::path& file) {
  return base::read_file(file);
}
void overwrite(const base::fs::path& file, const std::string& bytes) {
  base::write_file_atomically(file, bytes, 0600);
}

class DamagedDatabase : public testing::Test {
 protected:
  DamagedDatabase() {
    auto database = open_sqlite(path);
    database->migrate("test", {{"first", "CREATE TABLE part (name TEXT PRIMARY KEY);"}});
    database->write([](Transaction& tx) {
      for (int i = 0; i < 300; ++i) {
        tx.execute("INSERT INTO part (name) VALUES ($1)",
                   {std::to_string(i) + std::string(200, 'x')});
      }
    });
  }
  static void add(Database& database, const std::string& name) {
    database.write(
        [&](Transaction& tx) { tx.execute("INSERT INTO part (name) VALUES ($1)", {name}); });
  }
  // The message with which it is refused; empty where it is opened.
  [[nodiscard]] std::string refusal(const SqliteOptions& options = {}) const {
    try {
      (void)open_sqlite(path, options);
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::data_corrupted) << error.message();
      return error.message();
    }
  }

  base::TemporaryDirectory directory;
  base::fs::path path = directory.path() / "andon.db";
};

TEST_F(DamagedDatabase, IsNotOpenedAndNotChanged) {
  const std::string good = whole(path);
  ASSERT_GT(good.size(), 40'000U);
  struct Case {
    const char* what;
    std::string bytes;
    const char* says;
  };
  std::string middle = good;
  for (std::size_t at = 20'480; at < 24'576; ++at) middle[at] = '\x5a';
  std::string header = good;
  header.replace(0, 16, "something else!!");
  const std::vector<Case> cases = {
      {"emptied", "", "is empty"},
      {"cut to less than a header", good.substr(0, 50), "damaged"},
      {"cut to its first page", good.substr(0, 4096), "damaged"},
      {"cut by a page", good.substr(0, good.size() - 4096), "damaged"},
      {"cut within a page", good.substr(0, good.size() - 100), "damaged"},
      {"overwritten from its start", header, "damaged"},
      {"overwritten in its middle", middle, "damaged"},
      {"zeros", std::string(good.size(), '\0'), "damaged"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    overwrite(path, each.bytes);
    const std::string message = refusal();
    EXPECT_THAT(message, HasSubstr(each.says));
    EXPECT_THAT(message, HasSubstr(path.string()));
    EXPECT_THAT(message, HasSubstr("restore"));
    EXPECT_EQ(whole(path), each.bytes);
  }
  overwrite(path, good);
  EXPECT_THAT(refusal(), IsEmpty());
}

TEST_F(DamagedDatabase, ThatIsMissingIsOnlyMadeWhereItMayBe) {
  const SqliteOptions must_exist{.absent = IfAbsent::refuse};
  EXPECT_THAT(refusal(must_exist), IsEmpty());
  base::fs::remove(path);
  EXPECT_THAT(refusal(must_exist), HasSubstr("is missing"));
  EXPECT_FALSE(base::fs::exists(path));
  EXPECT_THAT(refusal(), IsEmpty());
  EXPECT_THAT(refusal(must_exist), HasSubstr("holds nothing of andon's"));
}

TEST_F(DamagedDatabase, WhoseLogIsStillThereIsNotBegunAnew) {
  base::fs::remove(path);
  base::write_file_atomically(path.string() + "-wal", "pages");
  EXPECT_THAT(refusal(), HasSubstr("write-ahead log"));
  EXPECT_FALSE(base::fs::exists(path));
}

TEST_F(DamagedDatabase, IsFoundByTheWholeCheckWhileOthersUseIt) {
  auto database = open_sqlite(path);
  EXPECT_THAT(check_wholly(path), IsEmpty());
  add(*database, "meanwhile");
  EXPECT_THAT(check_wholly(path), IsEmpty());
  database.reset();
  std::string bytes = whole(path);
  for (std::size_t at = 20'480; at < 24'576; ++at) bytes[at] = '\x5a';
  overwrite(path, bytes);
  EXPECT_THAT(check_wholly(path), Not(IsEmpty()));
  std::stop_source stop;
  stop.request_stop();
  (void)check_wholly(path, stop.get_token());
  EXPECT_THROW((void)check_wholly(directory.path() / "none.db"), Error);
}

// Else another process that opens the database and closes it takes itself for the last one, and
// removes the log that this one writes to.
TEST_F(DamagedDatabase, IsLookedForWithoutLosingTheLocksOfWhoUsesIt) {
  const auto locks = [this] {
    struct stat about {};
    EXPECT_EQ(stat(path.c_str(), &about), 0);
    const std::string of_file = ":" + std::to_string(about.st_ino) + " ";
    const std::string all = base::read_file("/proc/locks");
    std::size_t count = 0;
    for (std::size_t at = all.find(of_file); at != std::string::npos;
         at = all.find(of_file, at + 1)) {
      ++count;
    }
    return count;
  };
  const auto database = open_sqlite(path);
  add(*database, "first");
  ASSERT_EQ(locks(), 1U);
  EXPECT_THAT(check_wholly(path), IsEmpty());
  EXPECT_EQ(locks(), 1U);
  { const auto second = open_sqlite(path); }
  EXPECT_EQ(locks(), 1U);
  copy_databases({{path, directory.path() / "a"}});
  EXPECT_EQ(locks(), 1U);
}

TEST_F(DamagedDatabase, CopiesOfSeveralAreOfOneMomentAndSound) {
  const base::fs::path other = directory.path() / "other.db";
  auto first = open_sqlite(path);
  auto second = open_sqlite(other);
  second->migrate("test", {{"first", "CREATE TABLE part (name TEXT PRIMARY KEY);"}});
  add(*first, "in the log only");
  copy_databases({{path, directory.path() / "a"}, {other, directory.path() / "b"}});
  EXPECT_THAT(check_wholly(directory.path() / "a"), IsEmpty());
  const auto copy = open_sqlite(directory.path() / "a", {.absent = IfAbsent::refuse});
  copy->read([](Transaction& tx) {
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM part")->integer(0), 301);
  });
  EXPECT_THROW(copy_databases({{path, directory.path() / "a"}}), Error);
}

}  // namespace
}  // namespace andon::store
