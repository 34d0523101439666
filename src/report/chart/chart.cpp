// SPDX-License-Identifier: Apache-2.0
#include "report/chart/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text/utf8.hpp"
#include "report/chart/html.hpp"

namespace andon::report {
namespace {

struct Stroke {
  std::string_view colour;
  std::string_view dashes;
};

// Okabe and Ito's colours that are dark enough for thin lines on white.
constexpr std::array<Stroke, 8> kStrokes{{{"#0072b2", ""},
                                          {"#d55e00", "7 3"},
                                          {"#009e73", "2 3"},
                                          {"#cc79a7", "8 3 2 3"},
                                          {"#1a1a1a", "4 2"},
                                          {"#e69f00", "1 2"},
                                          {"#56b4e9", "10 4"},
                                          {"#7a5c00", "6 2 1 2"}}};

constexpr double kWidth = 470;
constexpr double kLeft = 40;
constexpr double kRight = 14;
constexpr double kTop = 26;
constexpr double kPlotHeight = 220;
constexpr double kLegendLine = 17;
constexpr std::size_t kLegendColumns = 3;
constexpr std::size_t kMaxNameShown = 22;

std::string shortened(const std::string& name, std::size_t most = kMaxNameShown) {
  if (name.size() <= most) return name;
  return std::string(base::utf8_prefix(name, most)) + "\u2026";
}

// Paths differ at their end.
std::string shortened_front(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  return "\u2026" + std::string(base::utf8_suffix(name, most));
}

std::string svg(double width, double height, std::string_view title, std::string_view body) {
  return fmt::format(
      "<figure><svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" role=\"img\" "
      "aria-label=\"{2}\">\n{3}</svg></figure>\n",
      width, height, escape(title), body);
}

std::string title_of(std::string_view title) {
  return fmt::format("<text x=\"0\" y=\"13\" class=\"title\">{}</text>\n", escape(title));
}

std::string legend(const std::vector<Series>& series, double top) {
  std::string text;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Stroke& stroke = kStrokes[i % kStrokes.size()];
    const double x =
        kLeft + static_cast<double>(i % kLegendColumns) * (kWidth - kLeft) / kLegendColumns;
    const double y = top + static_cast<double>(i / kLegendColumns) * kLegendLine;
    text += fmt::format(
        "<line x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.0f}\" y2=\"{:.0f}\" stroke=\"{}\" "
        "stroke-width=\"2\" stroke-dasharray=\"{}\"/><text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
        x, x + 22, y - 4, y - 4, stroke.colour, stroke.dashes, x + 27, y,
        escape(shortened(series[i].name)));
  }
  return text;
}

}  // namespace

std::string line_chart(const LineChart& chart) {
  const double plot_width = kWidth - kLeft - kRight;
  const auto x_of = [&](double x) { return kLeft + x / chart.x_max * plot_width; };
  const auto y_of = [&](double y) { return kTop + (1 - y / chart.y_max) * kPlotHeight; };
  std::string body = title_of(chart.title);
  constexpr int kSteps = 5;
  for (int step = 0; step <= kSteps; ++step) {
    const double y = chart.y_max * step / kSteps;
    const double x = chart.x_max * step / kSteps;
    body += fmt::format(
        "<line class=\"{}\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"right\" x=\"{}\" y=\"{:.1f}\">{:.3g}</text>"
        "<text class=\"middle\" x=\"{:.1f}\" y=\"{}\">{:.3g}</text>\n",
        step == 0 ? "axis" : "grid", kLeft, kWidth - kRight, y_of(y), y_of(y), kLeft - 6,
        y_of(y) + 4, y, x_of(x), kTop + kPlotHeight + 15, x);
  }
  body += fmt::format("<text class=\"middle\" x=\"{:.0f}\" y=\"{}\">{}</text>\n",
                      kLeft + plot_width / 2, kTop + kPlotHeight + 31, escape(chart.x_label));
  if (chart.mark) {
    const double x = x_of(std::clamp(*chart.mark, 0.0, chart.x_max));
    const bool is_at_end = x > kLeft + plot_width / 2;
    body += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#555\" "
        "stroke-dasharray=\"3 3\"/><text x=\"{3:.1f}\" y=\"{4}\" class=\"{5}\">{6}</text>\n",
        x, kTop, kTop + kPlotHeight, is_at_end ? x - 5 : x + 5, kTop + 11, is_at_end ? "right" : "",
        escape(chart.mark_label));
  }
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Stroke& stroke = kStrokes[i % kStrokes.size()];
    std::string points;
    for (const auto& [x, y] : chart.series[i].points) {
      points += fmt::format("{:.1f},{:.1f} ", x_of(x), y_of(std::clamp(y, 0.0, chart.y_max)));
    }
    body += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
        "stroke-dasharray=\"{}\"><title>{}</title></polyline>\n",
        points, stroke.colour, stroke.dashes, escape(chart.series[i].name));
  }
  const double legend_top = kTop + kPlotHeight + 52;
  body += legend(chart.series, legend_top);
  const auto lines =
      static_cast<double>((chart.series.size() + kLegendColumns - 1) / kLegendColumns);
  return svg(kWidth, legend_top + lines * kLegendLine - 8, chart.title, body);
}

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars) {
  constexpr double kBarHeight = 17;
  constexpr double kLabelWidth = 250;
  constexpr double kBarWidth = 260;
  constexpr double kTextWidth = 150;
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, bar.value);
  std::string body = title_of(title);
  double y = kTop;
  for (const Bar& bar : bars) {
    const double width = longest > 0 ? std::max(0.0, bar.value) / longest * kBarWidth : 0;
    body += fmt::format(
        "<text x=\"{}\" y=\"{:.0f}\" class=\"right\">{}<title>{}</title></text>"
        "<rect x=\"{}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.0f}\">{}</text>\n",
        kLabelWidth - 6, y + 12, escape(shortened_front(bar.label, 40)), escape(bar.label),
        kLabelWidth, y + 2, width, kBarHeight - 4, bar.is_marked ? "#d55e00" : "#0072b2",
        kLabelWidth + width + 6, y + 12, escape(bar.text));
    y += kBarHeight;
  }
  return svg(kLabelWidth + kBarWidth + kTextWidth, y + 4, title, body);
}

std::string matrix_chart(const MatrixChart& chart) {
  constexpr double kLabelWidth = 130;
  const std::size_t side = chart.names.size();
  const double cell = side <= 4 ? 68 : side <= 12 ? 40 : 26;
  const double top = kTop + 24 + (side <= 4 ? 0 : 60);
  std::vector<std::size_t> columns(side, 0);
  for (std::size_t i = 0; i < chart.counts.size(); ++i) columns[i % side] += chart.counts[i];
  std::string body = title_of(chart.title);
  body += fmt::format(
      "<text x=\"{:.0f}\" y=\"{}\" class=\"middle\">{}</text>\n"
      "<text x=\"0\" y=\"{:.0f}\">{}</text>\n",
      kLabelWidth + cell * static_cast<double>(side) / 2, kTop + 6, escape(chart.column_label),
      top - 6, escape(chart.row_label));
  for (std::size_t r = 0; r < side; ++r) {
    const double y = top + cell * static_cast<double>(r);
    body += fmt::format("<text x=\"{}\" y=\"{:.0f}\" class=\"right\">{}</text>\n", kLabelWidth - 6,
                        y + cell / 2 + 4, escape(shortened(chart.names[r], 18)));
    const double x = kLabelWidth + cell * static_cast<double>(r) + cell / 2;
    body += side <= 4 ? fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"middle\">{}</text>\n",
                                    x, top - 6, escape(shortened(chart.names[r], 10)))
                      : fmt::format(
                            "<text transform=\"translate({:.0f} {:.0f}) rotate(-55)\">{}"
                            "</text>\n",
                            x, top - 6, escape(shortened(chart.names[r], 12)));
    for (std::size_t c = 0; c < side; ++c) {
      const std::size_t count = chart.counts[r * side + c];
      const double share =
          columns[c] == 0 ? 0 : static_cast<double>(count) / static_cast<double>(columns[c]);
      const double left = kLabelWidth + cell * static_cast<double>(c);
      body += fmt::format(
          "<rect x=\"{0:.0f}\" y=\"{1:.0f}\" width=\"{2:.0f}\" height=\"{2:.0f}\" fill=\"{3}\" "
          "fill-opacity=\"{4:.2f}\" stroke=\"#ccc\"><title>{5} / {6}: {7}</title></rect>\n",
          left, y, cell, r == c ? "#0072b2" : "#d55e00", 0.75 * share, escape(chart.names[r]),
          escape(chart.names[c]), count);
      if (count == 0) continue;
      body += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"middle\">{}</text>\n",
                          left + cell / 2, y + cell / 2 + 4, count);
    }
  }
  const double extent = cell * static_cast<double>(side);
  return svg(kLabelWidth + extent + 40, top + extent + 6, chart.title, body);
}

}  // namespace andon::report
