// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/since.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

TEST(Since, IsATimeADayOrHowLongAgo) {
  const base::Timestamp now = base::parse_iso8601("2026-11-22T10:00:00Z").value();
  const auto read = [&](std::string_view text) {
    return base::to_iso8601(read_since(text, now, "--since"));
  };
  EXPECT_EQ(read("2026-11-01T12:30:00Z"), "2026-11-01T12:30:00.000Z");
  EXPECT_EQ(read("2026-11-01"), "2026-11-01T00:00:00.000Z");
  EXPECT_EQ(read("30m"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("12h"), "2026-11-21T22:00:00.000Z");
  EXPECT_EQ(read("7d"), "2026-11-15T10:00:00.000Z");
  for (const char* text : {"", "yesterday", "7", "7w", "-7d", "99999999999d", "d"}) {
    EXPECT_THROW((void)read(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::cli
