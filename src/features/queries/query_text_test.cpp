// SPDX-License-Identifier: Apache-2.0
#include "features/queries/query_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::features {
namespace {

using testing::HasSubstr;

const TableNames kTables{"sagemaker_featurestore.parts", "own.lines"};

std::string read(std::string_view sql) {
  try {
    return sqlite_text(sql, kTables);
  } catch (const base::Error& error) {
    return std::string(base::to_string(error.code())) + ": " + error.message();
  }
}

TEST(QueryText, CatalogAndDatabaseAreTakenOff) {
  constexpr std::pair<std::string_view, std::string_view> kTable[] = {
      {R"(SELECT * FROM "sagemaker_featurestore"."parts")", R"(SELECT * FROM "parts")"},
      {R"(SELECT * FROM "AwsDataCatalog"."sagemaker_featurestore"."parts" p)",
       R"(SELECT * FROM "parts" p)"},
      {"select p.a from sagemaker_featurestore.parts AS p, own.lines WHERE lines.a = p.b",
       "select p.a from parts AS p, lines WHERE lines.a = p.b"},
      {"SELECT own.lines.a FROM own . lines /* own.lines */ -- own.lines",
       "SELECT lines.a FROM lines /* own.lines */ -- own.lines"},
      {"SELECT 'own.lines' FROM parts", "SELECT 'own.lines' FROM parts"},
      {"SELECT count(*) FROM parts;", "SELECT count(*) FROM parts;"},
      {"SELECT CAST(a AS VARCHAR), CAST(b AS bigint) FROM parts AS timestamp",
       "SELECT CAST(a AS VARCHAR), CAST(b AS bigint) FROM parts AS timestamp"},
      {"SELECT x AS timestamp FROM (SELECT a AS date FROM parts)",
       "SELECT x AS timestamp FROM (SELECT a AS date FROM parts)"},
  };
  for (const auto& [sql, expected] : kTable) EXPECT_EQ(read(sql), expected) << sql;
}

TEST(QueryText, WhatIsNotThereOrNotSupportedIsNamed) {
  EXPECT_THAT(read("SELECT * FROM own.parts"), HasSubstr("not_found: no such table: parts"));
  EXPECT_THAT(read("SELECT * FROM awsdatacatalog.elsewhere.parts"),
              HasSubstr("Schema 'elsewhere' does not exist"));
  for (const char* const sql : {"INSERT INTO parts VALUES (1)", "CREATE TABLE t AS SELECT 1",
                                "SHOW TABLES", "EXPLAIN SELECT 1", "UNLOAD (SELECT 1) TO 's3://x'",
                                "SELECT 1; SELECT 2", "PRAGMA x", "DROP TABLE parts"}) {
    EXPECT_THAT(read(sql), HasSubstr("unsupported")) << sql;
  }
  EXPECT_THAT(read("SELECT CAST(a AS timestamp) FROM parts"), HasSubstr("CAST to timestamp"));
  EXPECT_THAT(read("SELECT CAST((a) AS \"date\") FROM parts"), HasSubstr("CAST to date"));
  EXPECT_THAT(read(" ; "), HasSubstr("invalid_argument"));
  EXPECT_THAT(read("SELECT 'a"), HasSubstr("invalid_argument"));
}

}  // namespace
}  // namespace andon::features
