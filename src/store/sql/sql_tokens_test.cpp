// SPDX-License-Identifier: Apache-2.0
#include "store/sql/sql_tokens.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

std::string shown(std::string_view sql) {
  std::string text;
  try {
    for (const SqlToken& token : sql_tokens(sql)) {
      constexpr const char* kNames[] = {"w", "n", "t", "d", "s"};
      text += std::string(text.empty() ? "" : " ") + kNames[static_cast<std::size_t>(token.kind)] +
              ":" + (token.value.empty() ? std::string(token.raw) : token.value);
    }
  } catch (const base::Error& error) {
    return error.message();
  }
  return text;
}

TEST(SqlTokens, AreReadAsSqliteReadsThem) {
  constexpr std::pair<std::string_view, std::string_view> kTable[] = {
      {"SELECT a.\"b\"\"c\" FROM [d e], `f`", "w:select w:a s:. n:b\"c w:from n:d e s:, n:f"},
      {"'it''s' 12e3 x'00'", "t:'it''s' d:12e3 w:x t:'00'"},
      {"a--b\nc/* d */e", "w:a w:c w:e"},
      {"\xc3\xa4 <> 1", "w:\xc3\xa4 s:< s:> d:1"},
      {"a 'b", "a quote (') does not end"},
      {"\"a", "a quote (\") does not end"},
      {"a /* b", "a comment (/*) does not end"},
      {"a -- b", "w:a"},
      {"", ""},
  };
  for (const auto& [sql, expected] : kTable) EXPECT_EQ(shown(sql), expected) << sql;
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "the statement holds a NUL character");
  EXPECT_EQ(shown(std::string(2 * kMostSqlTokens, ',')), "the statement has too many words");
}

TEST(SqlTokens, UnfoldingIsCounted) {
  const auto parts = [](std::string_view sql) { return unfolded_parts(sql_tokens(sql), 100); };
  EXPECT_EQ(parts("SELECT 1"), 2U);
  EXPECT_LT(parts("WITH a AS (SELECT 1) SELECT * FROM a, a"), 12U);
  EXPECT_LT(parts("WITH RECURSIVE a AS (SELECT 1 UNION SELECT i FROM a) SELECT * FROM a"), 30U);
  EXPECT_LT(parts("WITH a AS (SELECT 1 FROM b), b AS (SELECT 1 FROM a) SELECT * FROM a"), 30U);
  EXPECT_EQ(parts("WITH a AS (SELECT 1), b AS (SELECT 1 FROM a,a,a), c AS (SELECT 1 FROM b,b,b), "
                  "d AS (SELECT 1 FROM c,c,c) SELECT 1 FROM d"),
            101U);
}

}  // namespace
}  // namespace andon::store
