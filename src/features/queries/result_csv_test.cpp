// SPDX-License-Identifier: Apache-2.0
#include "features/queries/result_csv.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::features {
namespace {

TEST(ResultCsv, IsQuotedAsAthenaDoesAndReadBack) {
  const std::vector<CsvRow> rows{{"a", "b"}, {std::nullopt, ""}, {"x\"y", "1,2\n3"}};
  std::string csv;
  for (const CsvRow& row : rows) append_csv_row(csv, row);
  EXPECT_EQ(csv, "\"a\",\"b\"\n,\"\"\n\"x\"\"y\",\"1,2\n3\"\n");
  const CsvRows read = parse_csv_rows(csv, 2, 10, true);
  EXPECT_EQ(read.rows, rows);
  EXPECT_EQ(read.bytes, csv.size());
  const CsvRows two = parse_csv_rows(csv, 2, 2, true);
  EXPECT_EQ(two.rows.size(), 2U);
  EXPECT_EQ(parse_csv_rows(std::string_view(csv).substr(two.bytes), 2, 2, true).rows.at(0),
            rows.at(2));
  // Whatever is cut off is read with what comes.
  for (std::size_t size = 0; size < csv.size(); ++size) {
    EXPECT_LE(parse_csv_rows(std::string_view(csv).substr(0, size), 2, 10, false).bytes, size);
  }
}

TEST(ResultCsv, WhatWasNotWrittenHereIsRefused) {
  for (const char* const damaged :
       {"\"a\"\n", "\"a\",\"b\",\"c\"\n", "\"a\"x,\"b\"\n", "\"a\",\"b", "\"a\",\"b\"", "a,b\n"}) {
    EXPECT_THROW((void)parse_csv_rows(damaged, 2, 10, true), base::Error) << damaged;
  }
}

TEST(ResultCsv, DoublesAreWrittenAsJavaWritesThem) {
  constexpr std::pair<double, const char*> kTable[] = {
      {1, "1.0"},       {0.5, "0.5"},       {-2.25, "-2.25"},       {0, "0.0"},
      {1e10, "1.0E10"}, {1.5e-7, "1.5E-7"}, {1234567, "1234567.0"}, {12345678, "1.2345678E7"},
      {0.001, "0.001"}, {1e300, "1.0E300"},
  };
  for (const auto& [number, text] : kTable) EXPECT_EQ(double_text(number), text);
}

TEST(ResultCsv, TypesAreDeclaredOrFoundOut) {
  ResultTypes types({{"a", "BIGINT"}, {"b", "BOOLEAN"}, {"c", ""}, {"d", ""}, {"e", ""}});
  EXPECT_EQ(types.header(), (CsvRow{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(types.add({std::int64_t{1}, std::int64_t{1}, std::int64_t{2}, 0.5, {}}),
            (CsvRow{"1", "true", "2", "0.5", std::nullopt}));
  EXPECT_EQ(types.add({{}, std::int64_t{0}, 2.5, std::string("x"), {}}),
            (CsvRow{std::nullopt, "false", "2.5", "x", std::nullopt}));
  EXPECT_EQ(
      types.columns(),
      (std::vector<ResultColumn>{
          {"a", "bigint"}, {"b", "boolean"}, {"c", "double"}, {"d", "varchar"}, {"e", "varchar"}}));
}

}  // namespace
}  // namespace andon::features
