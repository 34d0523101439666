// SPDX-License-Identifier: Apache-2.0
#include "api/byte_range.hpp"

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
      {"bytes=99999999999999999999-", 10, RangeKind::whole},
      {"lines=0-1", 10, RangeKind::whole},
  };
  for (const auto& row : rows) {
    const RangeAnswer answer = read_range(row.header, row.size);
    EXPECT_EQ(answer.kind, row.kind) << row.header;
    EXPECT_EQ(answer.range.offset, row.range.offset) << row.header;
    EXPECT_EQ(answer.range.size, row.range.size) << row.header;
  }
}

}  // namespace
}  // namespace andon::api
