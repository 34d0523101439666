// SPDX-License-Identifier: Apache-2.0
#include "report/chart/html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "report/chart/chart.hpp"
#include "report/chart/picture.hpp"
#include "vision/draw/annotate.hpp"

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
  EXPECT_EQ(escape("a\xff\xc3\xa4\xe2\x82"), "a?\xc3\xa4??");
  EXPECT_EQ(escape("\xc0\x80\xed"), "???");
  EXPECT_EQ(escape(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(escape("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
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

TEST(PictureOverlay, DrawsAllBoxesAndThenLabelsThatDoNotLieOnEachOther) {
  const base::TemporaryDirectory folder;
  vision::Image image{{600, 400}, {}};
  image.rgb.assign(image.row_bytes() * 400, 128);
  base::write_file_atomically(folder.path() / "a.jpg", vision::encode_jpeg(image));
  Picture shown{folder.path() / "a.jpg", "caption", {}};
  // Two opinions of the same three objects.
  for (int i = 0; i < 6; ++i) {
    shown.boxes.push_back({{100.0 + 4 * i, 120.0 + 3 * i, 150, 90},
                           "A 0.4" + std::to_string(i),
                           i % 2 == 0 ? BoxStyle::first : BoxStyle::second,
                           0.4 + 0.01 * i});
  }
  const std::string html = picture(shown);
  EXPECT_LT(html.rfind("<rect"), html.find("<text"));
  // The strongest is the last frame and the first label.
  EXPECT_GT(html.rfind("A 0.45</title>"), html.rfind("A 0.40</title>"));
  EXPECT_THAT(html.substr(html.find("<text")), HasSubstr("A 0.45</text>"));
  std::vector<std::pair<double, double>> places;
  for (std::size_t at = html.find("<text x=\""); at != std::string::npos;
       at = html.find("<text x=\"", at + 1)) {
    double x = 0;
    double y = 0;
    ASSERT_EQ(std::sscanf(html.c_str() + at, "<text x=\"%lf\" y=\"%lf\"", &x, &y), 2);
    for (const auto& [other_x, other_y] : places) {
      EXPECT_TRUE(std::abs(x - other_x) > 50 || std::abs(y - other_y) > 15) << x << ' ' << y;
    }
    places.emplace_back(x, y);
  }
  EXPECT_GE(places.size(), 4U);
}

TEST(Pictures, ThatAreGoneSaySo) {
  EXPECT_THAT(picture({"/nonexistent/a.jpg", "caption", {}}), HasSubstr("/nonexistent/a.jpg"));
}

}  // namespace
}  // namespace andon::report
