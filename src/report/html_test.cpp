// SPDX-License-Identifier: Apache-2.0
#include "report/html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/chart.hpp"
#include "report/picture.hpp"
#include "report/text.hpp"

namespace andon::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_THAT(table({{"<b>"}, {{"<i>"}}}), Not(HasSubstr("<i>")));
  EXPECT_THAT(page("<script>", ""), Not(HasSubstr("<script>")));
}

TEST(Html, TakesAnyBytes) {
  EXPECT_EQ(valid_utf8("a\xff\xc3\xa4\xe2\x82"), "a?\xc3\xa4??");
  EXPECT_EQ(valid_utf8("\xc0\x80\xed"), "???");
  EXPECT_EQ(escape(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(valid_utf8("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(Html, ShowsADashWhereThereIsNoFigure) {
  EXPECT_EQ(number(std::nullopt), "\u2013");
  EXPECT_EQ(number(0.12345), "0.123");
  EXPECT_EQ(number(0.12345, 4), "0.1235");
}

TEST(Charts, StandWithoutAnyPointBarOrClass) {
  EXPECT_THAT(line_chart({.title = "nothing"}), HasSubstr("nothing"));
  EXPECT_THAT(bar_chart("nothing", {}), HasSubstr("nothing"));
  EXPECT_THAT(bar_chart("zero", {{"layer", 0, "0", false}}), HasSubstr("width=\"0.0\""));
  EXPECT_THAT(matrix_chart({"m", "found", "there", {"nothing"}, {0}}), HasSubstr("<rect"));
}

TEST(Charts, EscapeTheirNames) {
  LineChart chart{.title = "<t>"};
  chart.series.push_back({"<s>", {{0, 0}, {1, 1}}});
  EXPECT_THAT(line_chart(chart), Not(HasSubstr("<s>")));
  EXPECT_THAT(bar_chart("b", {{"<layer>", 1, "<text>", true}}), Not(HasSubstr("<layer>")));
  EXPECT_THAT(matrix_chart({"m", "f", "t", {"<x>", "<y>"}, {1, 2, 3, 4}}),
              Not(testing::AnyOf(HasSubstr("<x>"), HasSubstr("<y>"))));
}

TEST(Pictures, ThatAreGoneSaySo) {
  EXPECT_THAT(picture({"/nonexistent/a.jpg", "caption", {}}), HasSubstr("/nonexistent/a.jpg"));
}

}  // namespace
}  // namespace andon::report
