// SPDX-License-Identifier: Apache-2.0
// Hostile statements, each with what must become of it.
#include "store/sql/guarded_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

using base::Error;
using base::ErrorCode;
using testing::HasSubstr;

class GuardedQueryTest : public testing::Test {
 protected:
  GuardedQueryTest() {
    database_->migrate("test", {{"1",
                                 "CREATE TABLE parts (c0 TEXT, c1 BIGINT, c2 DOUBLE);"
                                 "CREATE TABLE secrets (word TEXT);"
                                 "INSERT INTO secrets VALUES ('hidden');"
                                 "INSERT INTO parts VALUES ('a', 1, 0.5), ('B', 2, 1.5), "
                                 "('c', NULL, NULL);"}});
  }

  std::vector<std::vector<SqlValue>> rows(const std::string& sql, const QueryLimits& limits = {},
                                          const std::function<bool()>& is_over = {}) {
    GuardedQuery query(path_, views_, limits);
    std::vector<std::vector<SqlValue>> all;
    query.run(sql,
              {.columns = [&](const auto& columns) { columns_ = columns; },
               .row = [&](const auto& row) { all.push_back(row); }},
              is_over);
    return all;
  }

  // "code: message", or what came out.
  std::string outcome(const std::string& sql, const QueryLimits& limits = {}) {
    try {
      return "it gave " + std::to_string(rows(sql, limits).size()) + " rows";
    } catch (const Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
  }

  base::TemporaryDirectory directory_;
  base::fs::path path_ = directory_.path() / "x.db";
  std::unique_ptr<Database> database_ = open_sqlite(path_);
  std::vector<QueryView> views_{
      {"parts", "parts", {{"name", "c0"}, {"number", "c1"}, {"w", "c2"}}}};
  std::vector<QueryColumn> columns_;
};

TEST_F(GuardedQueryTest, AViewIsReadUnderItsNames) {
  const auto all = rows(R"(SELECT "name", p.number + 1 AS next, w FROM parts p ORDER BY 1;)");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1], (std::vector<SqlValue>{std::string("a"), std::int64_t{2}, 0.5}));
  ASSERT_EQ(columns_.size(), 3U);
  EXPECT_EQ(columns_[0].declared, "TEXT");
  EXPECT_EQ(columns_[1].name, "next");
  EXPECT_EQ(columns_[1].declared, "");
  EXPECT_EQ(columns_[2].declared, "DOUBLE");
}

TEST_F(GuardedQueryTest, WhatAnalystsWriteWorks) {
  for (const char* const sql : {
           "WITH t AS (SELECT * FROM parts) SELECT count(*) FROM t, t AS u WHERE t.name = u.name",
           "SELECT name, row_number() OVER (PARTITION BY w ORDER BY number DESC) FROM parts",
           "SELECT count(*), max(number), avg(w) FROM parts GROUP BY name HAVING count(*) > 0",
           "SELECT DISTINCT upper(name) || '-' || CAST(number AS VARCHAR) FROM parts LIMIT 2",
           "SELECT a.name FROM parts a LEFT JOIN parts b ON a.number = b.number + 1",
           "SELECT name FROM parts UNION ALL SELECT name FROM parts -- both",
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) "
           "SELECT i FROM n",
           "SELECT CASE WHEN number IS NULL THEN 'none' ELSE 'one' END FROM parts",
           "SELECT name FROM (SELECT name, number FROM parts) WHERE number IN (1, 2)",
           "WITH a AS (SELECT name FROM parts), b AS (SELECT count(*) AS n FROM a) SELECT n FROM b",
           "SELECT (SELECT count(*) FROM parts) FROM parts WHERE EXISTS (SELECT 1 FROM parts)",
       }) {
    EXPECT_THAT(outcome(sql), HasSubstr("it gave")) << sql;
  }
  EXPECT_EQ(rows("SELECT name FROM parts WHERE name LIKE 'b'").size(), 0U);
}

TEST_F(GuardedQueryTest, NothingElseOfTheDatabaseIsSeen) {
  for (const char* const sql : {
           "SELECT * FROM secrets",
           "SELECT * FROM main.secrets",
           "SELECT * FROM main.parts",
           "SELECT c0 FROM main.parts",
           "WITH parts AS (SELECT word FROM main.secrets) SELECT * FROM parts",
           "WITH a AS (SELECT name FROM parts, main.secrets) SELECT count(*) FROM a",
           "SELECT count(*) FROM secrets",
           "SELECT (SELECT word FROM secrets) FROM parts",
           "SELECT name FROM parts WHERE EXISTS (SELECT 1 FROM secrets WHERE word LIKE 'h%')",
           "SELECT name FROM parts UNION SELECT word FROM secrets",
           "SELECT name FROM parts ORDER BY (SELECT word FROM secrets)",
           "WITH parts AS (SELECT * FROM secrets) SELECT * FROM parts",
           "SELECT * FROM sqlite_schema",
           "SELECT * FROM sqlite_master",
           "SELECT * FROM sqlite_temp_schema",
           "SELECT sql FROM temp.sqlite_master",
           "SELECT * FROM andon_migration",
           "SELECT * FROM sqlite_dbpage",
           "SELECT * FROM bytecode('SELECT 1')",
           "SELECT * FROM nowhere",
       }) {
    EXPECT_THAT(outcome(sql), testing::StartsWith("not_found: no such")) << sql;
  }
  // What SQLite would have to make first.
  for (const char* const sql : {
           "SELECT * FROM pragma_database_list",
           "SELECT * FROM pragma_table_info('secrets')",
           "SELECT * FROM dbstat",
           "SELECT * FROM json_each('[1]')",
           "SELECT count(*) FROM json_each('[1]')",
           "SELECT count(*) FROM pragma_table_info('secrets')",
       }) {
    EXPECT_THAT(outcome(sql), testing::StartsWith("permission_denied")) << sql;
  }
}

TEST_F(GuardedQueryTest, ANameOfWithCoversNothingOfTheDatabase) {
  for (const char* const sql : {
           "SELECT count(*) FROM secrets, (WITH secrets AS (SELECT 1) SELECT 1 FROM secrets)",
           "SELECT count(*) FROM json_tree, (WITH json_tree AS (SELECT 1) SELECT 1)",
           "WITH pragma_database_list AS (SELECT 1) SELECT 1",
       }) {
    EXPECT_THAT(outcome(sql), HasSubstr("is reserved")) << sql;
  }
  EXPECT_THAT(outcome("WITH parts AS (SELECT 1 AS name) SELECT count(*) FROM parts"),
              HasSubstr("it gave 1 rows"));
  EXPECT_THAT(outcome("SELECT count(*) FROM parts, parts AS b"), HasSubstr("it gave 1 rows"));
}

TEST_F(GuardedQueryTest, OnlyOneQueryIsTaken) {
  for (const char* const sql : {
           "INSERT INTO parts VALUES ('x', 1, 1)",
           "DELETE FROM main.parts",
           "UPDATE main.parts SET c0 = 'x'",
           "DROP TABLE parts",
           "DROP VIEW parts",
           "CREATE TABLE t (a)",
           "CREATE TEMP TABLE t AS SELECT * FROM parts",
           "CREATE TEMP TRIGGER t INSTEAD OF INSERT ON parts BEGIN SELECT 1; END",
           "ALTER TABLE parts RENAME TO other",
           "ATTACH 'x.db' AS other",
           "ATTACH ':memory:' AS other",
           "DETACH main",
           "PRAGMA query_only = OFF",
           "PRAGMA database_list",
           "PRAGMA temp_store_directory = '/'",
           "VACUUM INTO 'copy.db'",
           "VACUUM",
           "REINDEX",
           "ANALYZE",
           "BEGIN",
           "SAVEPOINT a",
           "EXPLAIN SELECT * FROM parts",
           "EXPLAIN QUERY PLAN SELECT * FROM parts",
           "SELECT 1; SELECT 2",
           "SELECT 1; DROP TABLE parts",
           "WITH a AS (SELECT 1) INSERT INTO parts SELECT 'x', 1, 1 FROM a",
       }) {
    EXPECT_THAT(outcome(sql), testing::Not(HasSubstr("it gave"))) << sql;
  }
  EXPECT_EQ(rows("SELECT * FROM parts").size(), 3U);
  EXPECT_THAT(outcome(""), HasSubstr("invalid_argument"));
  EXPECT_THAT(outcome("-- nothing"), HasSubstr("invalid_argument"));
  EXPECT_THAT(outcome("SELECT ?"), testing::Not(HasSubstr("it gave")));
  EXPECT_THAT(outcome("SELECT \"nothing\" FROM parts"), HasSubstr("not_found: no such column"));
}

TEST_F(GuardedQueryTest, NoFunctionReachesOutside) {
  for (const char* const sql : {
           "SELECT load_extension('/lib/x.so')",
           "SELECT readfile('/etc/passwd')",
           "SELECT writefile('/tmp/x', 'y')",
           "SELECT fts3_tokenizer('simple')",
           "SELECT sqlite_compileoption_get(1)",
           "SELECT printf('%1000000000d', 1)",
           "SELECT format('%1000000000d', 1)",
           "SELECT zeroblob(1000000000)",
           "SELECT randomblob(1000000000)",
           "SELECT json_group_array(name) FROM parts",
           "SELECT char(1, 2)",
           "SELECT instr(name, 'a') FROM parts",
           "SELECT 'a' GLOB 'a*'",
           "SELECT 'a' REGEXP 'a'",
           "SELECT trim(name, 'a') FROM parts",
       }) {
    EXPECT_THAT(outcome(sql), testing::Not(HasSubstr("it gave"))) << sql;
  }
}

TEST_F(GuardedQueryTest, AQueryWithoutEndIsEnded) {
  const QueryLimits limits{.time = std::chrono::milliseconds(200)};
  constexpr const char* kEndless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
  EXPECT_THAT(outcome(std::string(kEndless) + "SELECT max(i) FROM n", limits),
              HasSubstr("deadline_exceeded"));
  EXPECT_THAT(outcome(std::string(kEndless) + "SELECT count(*) FROM parts a, n b, n c", limits),
              HasSubstr("deadline_exceeded"));
  EXPECT_THAT(outcome(std::string(kEndless) + "SELECT i FROM n", {.rows = 1'000}),
              HasSubstr("resource_exhausted: the result has more than 1000 rows"));
  int asked = 0;
  try {
    (void)rows(std::string(kEndless) + "SELECT max(i) FROM n", {}, [&] { return ++asked > 100; });
    FAIL() << "it ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

TEST_F(GuardedQueryTest, MemoryAndDiskAreBounded) {
  constexpr const char* kWide =
      "WITH RECURSIVE n(i, t) AS (SELECT 1, hex('0123456789012345678901234567890123456789') UNION "
      "ALL SELECT i + 1, t FROM n) ";
  EXPECT_THAT(outcome(std::string(kWide) + "SELECT * FROM n ORDER BY t, i DESC",
                      {.temporary_bytes = 8 << 20}),
              HasSubstr("resource_exhausted: the query needs more than 8 MiB of temporary files"));
  EXPECT_THAT(outcome(std::string(kWide) + "SELECT DISTINCT t || i FROM n",
                      {.rows = 1LL << 40U, .result_bytes = 1LL << 40U, .temporary_bytes = 8 << 20}),
              HasSubstr("temporary files"));
  EXPECT_THAT(outcome(std::string(kWide) + "SELECT t, i FROM n", {.result_bytes = 1 << 20}),
              HasSubstr("resource_exhausted: the result has more than 1 MiB"));
  EXPECT_THAT(outcome(std::string(kWide) + "SELECT length(group_concat(t)) FROM (SELECT t FROM n "
                                           "LIMIT 20000)"),
              HasSubstr("resource_exhausted: a value has more than"));
  // 64 bytes, doubled again and again.
  std::string doubling = "WITH a0(t) AS (SELECT hex(hex(hex('01234567'))))";
  for (int i = 1; i < 14; ++i) {
    doubling += ", a" + std::to_string(i) + "(t) AS (SELECT t || t FROM a" + std::to_string(i - 1) +
                " LIMIT 1)";
  }
  EXPECT_THAT(outcome(doubling + " SELECT length(t || t) FROM a13"),
              HasSubstr("a value has more than"));
  std::string many = doubling + " SELECT ";
  for (int i = 0; i < 1'900; ++i) many += "t || " + std::to_string(i) + ", ";
  EXPECT_THAT(outcome(many + "1 FROM a12", {.memory_bytes = 32 << 20}),
              HasSubstr("resource_exhausted: the query needs more than 32 MiB of memory"));
}

TEST_F(GuardedQueryTest, AStatementThatUnfoldsWithoutEndIsRefusedBeforeItIsRead) {
  std::string doubling = "WITH a0 AS (SELECT name FROM parts)";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    doubling +=
        ", a" + std::to_string(i) + " AS (SELECT x.name FROM " + before + " x, " + before + " y)";
  }
  EXPECT_THAT(outcome(doubling + " SELECT count(*) FROM a39"), HasSubstr("unfolds into more"));
  std::string backwards = "WITH a0 AS (SELECT x.name FROM a1 x, a1 y)";
  for (int i = 1; i < 40; ++i) {
    const std::string next = "\"A" + std::to_string(i + 1) + "\"";
    backwards += ", a" + std::to_string(i) + "(name) AS NOT MATERIALIZED (SELECT x.name FROM " +
                 next + " x, " + next + " y)";
  }
  EXPECT_THAT(outcome(backwards + ", a40 AS (SELECT name FROM parts) SELECT count(*) FROM a0"),
              HasSubstr("unfolds into more"));
  std::string arms = "SELECT name FROM parts";
  for (int i = 1; i < 40; ++i) arms += " UNION ALL SELECT name FROM parts";
  std::string joined = "SELECT 1 FROM parts p";
  for (int i = 0; i < 30; ++i) joined += ", (" + arms + ")";
  EXPECT_THAT(outcome(joined, {.time = std::chrono::milliseconds(500)}),
              testing::AnyOf(HasSubstr("deadline_exceeded"), HasSubstr("resource_exhausted"),
                             HasSubstr("invalid_argument")));
  EXPECT_THAT(outcome("SELECT " + std::string(50'000, '(') + "1" + std::string(50'000, ')')),
              HasSubstr("invalid_argument"));
  EXPECT_THAT(outcome("SELECT 1" + std::string(300'000, ' ')), HasSubstr("262144"));
  std::string deep = "SELECT 1";
  for (int i = 0; i < 5'000; ++i) deep += " + 1";
  EXPECT_THAT(outcome(deep), HasSubstr("invalid_argument"));
}

TEST_F(GuardedQueryTest, AWriterIsNeitherHeldUpNorSeenHalfWay) {
  std::int64_t seen = 0;
  GuardedQuery query(path_, views_, {});
  query.run("SELECT name FROM parts",
            {.columns = [](const auto&) {},
             .row =
                 [&](const auto&) {
                   ++seen;
                   database_->write([](Transaction& tx) {
                     tx.execute("INSERT INTO parts VALUES ('new', 3, 3)");
                   });
                 }},
            {});
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(rows("SELECT * FROM parts").size(), 6U);
}

}  // namespace
}  // namespace andon::store
