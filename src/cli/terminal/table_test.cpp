// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/table.hpp"

#include <gtest/gtest.h>

#include "base/text/escape.hpp"

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

TEST(JsonText, SteersNoTerminalAndMeansTheSame) {
  const base::json::value value{
      {"a", "\x1b[2J \x7f \xC2\x9b \xE2\x80\xAE \xC3\xA4 \xF0\x9F\x98\x80"}};
  const std::string text = json_text(value);
  EXPECT_EQ(base::escape_line(text), text);
  EXPECT_EQ(base::parse_json(text, "test"), value);
  EXPECT_NE(text.find("\xC3\xA4 \xF0\x9F\x98\x80"), std::string::npos);
}

}  // namespace
}  // namespace andon::cli
