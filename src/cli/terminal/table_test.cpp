// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/table.hpp"

#include <gtest/gtest.h>

namespace andon::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Table, ColumnsAreAsWideAsTheirWidestCellInLetters) {
  Table table({"DEVICE", "STATE"});
  EXPECT_TRUE(table.empty());
  table.add({"Prüfstand-1", "HEALTHY"});
  table.add({"a", ""});
  EXPECT_EQ(table.text(),
            "DEVICE       STATE\n"
            "Prüfstand-1  HEALTHY\n"
            "a            -\n");
}

TEST(Table, WhatComesFromOutsideCannotSteerTheTerminal) {
  Table table({"NAME"});
  table.add({"a\x1b[2Jb\nc"});
  EXPECT_EQ(table.text(), "NAME\na\\x1b[2Jb\\x0ac\n");
}

TEST(Table, TimesAreToldByHowLongAgoTheyWere) {
  const base::Timestamp now{hours{24 * 365}};
  EXPECT_EQ(ago(now + hours{1}, now), "now");
  EXPECT_EQ(ago(now - milliseconds{999}, now), "now");
  EXPECT_EQ(ago(now - seconds{119}, now), "119 s ago");
  EXPECT_EQ(ago(now - minutes{119}, now), "119 min ago");
  EXPECT_EQ(ago(now - hours{47}, now), "47 h ago");
  EXPECT_EQ(ago(now - hours{49}, now), "2 d ago");
}

}  // namespace
}  // namespace andon::cli
