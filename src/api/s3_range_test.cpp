// SPDX-License-Identifier: Apache-2.0
#include "api/s3_range.hpp"

#include <gtest/gtest.h>

namespace andon::api {
namespace {

TEST(ChooseRange, FollowsTheRfc) {
  const struct {
    const char* header;
    std::uint64_t size;
    RangeChoice expected;
  } rows[] = {
      {"bytes=0-4", 10, ByteRange{0, 5}},      {"bytes=5-", 10, ByteRange{5, 5}},
      {"bytes=-3", 10, ByteRange{7, 3}},       {"bytes=-30", 10, ByteRange{0, 10}},
      {"bytes=0-99", 10, ByteRange{0, 10}},    {"bytes=9-9", 10, ByteRange{9, 1}},
      {"bytes=10-", 10, UnsatisfiableRange{}}, {"bytes=0-", 0, UnsatisfiableRange{}},
      {"bytes=-0", 10, UnsatisfiableRange{}},  {"bytes=4-3", 10, WholeObject{}},
      {"bytes=0-1,3-4", 10, WholeObject{}},    {"bytes=a-b", 10, WholeObject{}},
      {"bytes=-", 10, WholeObject{}},          {"bytes=99999999999999999999-", 10, WholeObject{}},
      {"lines=0-1", 10, WholeObject{}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(choose_range(row.header, row.size), row.expected) << row.header;
  }
}

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
