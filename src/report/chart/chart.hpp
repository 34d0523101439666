// SPDX-License-Identifier: Apache-2.0
// Charts as inline SVG, in a <figure> each. Lines differ in dashes as well as in colour, so that
// they can be told apart on paper and by everybody. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace andon::report {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::vector<Series> series;
  double x_max = 1;
  double y_max = 1;
  std::optional<double> mark;  // a vertical line at this x
  std::string mark_label;
};
[[nodiscard]] std::string line_chart(const LineChart& chart);

struct Bar {
  std::string label;
  double value = 0;
  std::string text;  // beside the bar
  bool is_marked = false;
};
// Horizontal; the longest fills the width.
[[nodiscard]] std::string bar_chart(const std::string& title, const std::vector<Bar>& bars);

// Rows and columns with a name each; darker where the count is a larger share of its column.
struct MatrixChart {
  std::string title;
  std::string row_label;
  std::string column_label;
  std::vector<std::string> names;
  std::vector<std::size_t> counts;  // row by row
};
[[nodiscard]] std::string matrix_chart(const MatrixChart& chart);

}  // namespace andon::report
