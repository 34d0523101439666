// SPDX-License-Identifier: Apache-2.0
#include "api/s3_conditions.hpp"

#include <gtest/gtest.h>

namespace andon::api {
namespace {

TEST(CheckConditions, ComparesTagsAndTimes) {
  const auto modified = *base::parse_iso8601("2026-11-22T10:00:00.500Z");
  const struct {
    const char* name;
    const char* value;
    ReadCondition expected;
  } rows[] = {
      {"If-Match", "\"abc\"", ReadCondition::met},
      {"If-Match", "\"x\", \"abc\"", ReadCondition::met},
      {"If-Match", "*", ReadCondition::met},
      {"If-Match", "\"x\"", ReadCondition::failed},
      {"If-None-Match", "\"abc\"", ReadCondition::not_modified},
      {"If-None-Match", "W/\"abc\"", ReadCondition::not_modified},
      {"If-None-Match", "\"x\"", ReadCondition::met},
      {"If-Modified-Since", "Sun, 22 Nov 2026 10:00:00 GMT", ReadCondition::not_modified},
      {"If-Modified-Since", "Sun, 22 Nov 2026 09:59:59 GMT", ReadCondition::met},
      {"If-Modified-Since", "yesterday", ReadCondition::met},
      {"If-Unmodified-Since", "Sun, 22 Nov 2026 10:00:00 GMT", ReadCondition::met},
      {"If-Unmodified-Since", "Sun, 22 Nov 2026 09:59:59 GMT", ReadCondition::failed},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(check_conditions({{row.name, row.value}}, "abc", modified), row.expected)
        << row.name << ": " << row.value;
  }
}

}  // namespace
}  // namespace andon::api
