// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/byte_range.hpp"

#include <gtest/gtest.h>

namespace andon::api {
namespace {

TEST(ReadRange, FollowsTheRfc) {
  const struct {
    const char* header;
    std::uint64_t size;
    RangeKind kind;
    ByteRange range = {};
  } rows[] = {
      {"bytes=0-4", 10, RangeKind::part, {0, 5}},
      {"bytes=5-", 10, RangeKind::part, {5, 5}},
      {"bytes=-3", 10, RangeKind::part, {7, 3}},
      {"bytes=-30", 10, RangeKind::part, {0, 10}},
      {"bytes=0-99", 10, RangeKind::part, {0, 10}},
      {"bytes=9-9", 10, RangeKind::part, {9, 1}},
      {"bytes=10-", 10, RangeKind::unsatisfiable},
      {"bytes=0-", 0, RangeKind::unsatisfiable},
      {"bytes=-0", 10, RangeKind::unsatisfiable},
      {"bytes=4-3", 10, RangeKind::whole},
      {"bytes=0-1,3-4", 10, RangeKind::whole},
      {"bytes=a-b", 10, RangeKind::whole},
      {"bytes=-", 10, RangeKind::whole},
      {"bytes=99999999999999999999-", 10, RangeKind::unsatisfiable},
      {"bytes=2-99999999999999999999", 10, RangeKind::part, {2, 8}},
      {"bytes=0-18446744073709551615", 10, RangeKind::part, {0, 10}},
      {"bytes=-99999999999999999999", 10, RangeKind::part, {0, 10}},
      {"bytes=+1-2", 10, RangeKind::whole},
      {"lines=0-1", 10, RangeKind::whole},
  };
  for (const auto& row : rows) {
    const RangeAnswer answer = read_range(row.header, row.size);
    EXPECT_EQ(answer.kind, row.kind) << row.header;
    EXPECT_EQ(answer.range.offset, row.range.offset) << row.header;
    EXPECT_EQ(answer.range.size, row.range.size) << row.header;
  }
}

TEST(ReadExactRange, TakesBothEndsWithinTheContentAndNothingElse) {
  const auto range = read_exact_range("bytes=2-9", 10);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->offset, 2U);
  EXPECT_EQ(range->size, 8U);
  for (const char* header :
       {"bytes=5-", "bytes=-5", "5-9", "bytes=0-10", "bytes=9-2", "bytes=0-1,3-4", "bytes=a-b",
        "bytes=", "bytes", "", "bytes=0-99999999999999999999", "bytes= 0-1", "bytes=0-1 "}) {
    EXPECT_FALSE(read_exact_range(header, 10)) << header;
  }
  EXPECT_FALSE(read_exact_range("bytes=0-0", 0));
}

}  // namespace
}  // namespace andon::api
