// SPDX-License-Identifier: Apache-2.0
#include "report/state_graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/text/escape.hpp"
#include "query/document/utf8.hpp"

namespace andon::asl {
namespace {

constexpr double kBoxHeight = 44;
constexpr double kLetter = 7.5;
constexpr double kGap = 36;
constexpr double kPadding = 16;

struct Arrow {
  std::size_t from = 0;
  std::size_t to = 0;
  std::string label;  // "Default", "Catch"
};

// The arrows of a flow in the order of its definition.
std::vector<Arrow> arrows_of(const Flow& flow) {
  std::vector<Arrow> arrows;
  const auto add = [&](std::size_t from, const std::string& to, std::string label) {
    const auto place = flow.places.find(to);
    if (place == flow.places.end()) return;
    const bool known = std::ranges::any_of(arrows, [&](const Arrow& arrow) {
      return arrow.from == from && arrow.to == place->second && arrow.label == label;
    });
    if (!known) arrows.push_back({from, place->second, std::move(label)});
  };
  for (std::size_t i = 0; i < flow.states.size(); ++i) {
    const State& state = flow.states[i];
    if (const auto* choice = state.if_is<ChoiceState>()) {
      for (const ChoiceRule& rule : choice->choices) add(i, rule.next, "");
      if (!choice->default_next.empty()) add(i, choice->default_next, "Default");
    }
    if (!state.next.empty()) add(i, state.next, "");
    for (const Catcher& catcher : state.catches) add(i, catcher.next, "Catch");
  }
  return arrows;
}

// Rows of states by their distance from the start.
std::vector<std::vector<std::size_t>> rows_of(const Flow& flow, const std::vector<Arrow>& arrows) {
  std::vector<int> row(flow.states.size(), -1);
  std::deque<std::size_t> waiting = {flow.places.at(flow.start_at)};
  row[waiting.front()] = 0;
  std::vector<std::vector<std::size_t>> rows;
  while (!waiting.empty()) {
    const std::size_t state = waiting.front();
    waiting.pop_front();
    const auto level = static_cast<std::size_t>(row[state]);
    if (rows.size() <= level) rows.resize(level + 1);
    rows[level].push_back(state);
    for (const Arrow& arrow : arrows) {
      if (arrow.from == state && row[arrow.to] < 0) {
        row[arrow.to] = row[state] + 1;
        waiting.push_back(arrow.to);
      }
    }
  }
  return rows;
}

std::vector<std::size_t> inner_flows(const State& state) {
  if (const auto* map = state.if_is<MapState>()) return {map->flow};
  if (const auto* parallel = state.if_is<ParallelState>()) return parallel->branches;
  return {};
}

// A flow laid out: every box with its place inside the flow.
struct Layout {
  struct Box {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
    std::vector<Layout> inside;
  };
  const Flow* flow = nullptr;
  std::vector<Box> boxes;  // by state; width 0: not reachable
  std::vector<Arrow> arrows;
  double width = 0;
  double height = 0;
};

Layout lay_out(const StateMachine& machine, const Flow& flow) {
  Layout layout;
  layout.flow = &flow;
  layout.arrows = arrows_of(flow);
  layout.boxes.resize(flow.states.size());
  const auto rows = rows_of(flow, layout.arrows);
  std::vector<double> widths;
  for (const auto& row : rows) {
    double width = 0;
    double height = 0;
    for (const std::size_t index : row) {
      const State& state = flow.states[index];
      Layout::Box& box = layout.boxes[index];
      const auto letters = static_cast<double>(query::count_code_points(state.name));
      box.width = std::max(110.0, letters * kLetter + 2 * kPadding);
      box.height = kBoxHeight;
      double inner_width = 0;
      double inner_height = 0;
      for (const std::size_t number : inner_flows(state)) {
        box.inside.push_back(lay_out(machine, machine.flow(number)));
        inner_width += box.inside.back().width + kPadding;
        inner_height = std::max(inner_height, box.inside.back().height);
      }
      if (!box.inside.empty()) {
        box.width = std::max(box.width, inner_width + kPadding);
        box.height += inner_height + kPadding;
      }
      width += box.width + kGap;
      height = std::max(height, box.height);
    }
    double x = 0;
    for (const std::size_t index : row) {
      layout.boxes[index].x = x;
      layout.boxes[index].y = layout.height;
      x += layout.boxes[index].width + kGap;
    }
    widths.push_back(width - kGap);
    layout.width = std::max(layout.width, width - kGap);
    layout.height += height + kGap;
  }
  layout.height = std::max(0.0, layout.height - kGap);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (const std::size_t index : rows[r]) {
      layout.boxes[index].x += (layout.width - widths[r]) / 2;
    }
  }
  return layout;
}

// The class of a state's box beside its type.
std::string_view svg_class(const ProgressByState* progress, const std::string& name) {
  if (progress == nullptr) return "";
  const auto found = progress->find(name);
  if (found == progress->end()) return " unreached";
  switch (found->second) {
    case Progress::running:
      return " running";
    case Progress::succeeded:
      return " succeeded";
    case Progress::failed:
      return " failed";
  }
  return "";
}

// The colour of a terminal that a state's box begins with; empty: none.
std::string_view terminal_colour(const ProgressByState* progress, const std::string& name) {
  if (progress == nullptr) return "";
  const auto found = progress->find(name);
  if (found == progress->end()) return "\x1b[90m";
  switch (found->second) {
    case Progress::running:
      return "\x1b[34m";
    case Progress::succeeded:
      return "\x1b[32m";
    case Progress::failed:
      return "\x1b[31m";
  }
  return "";
}

void draw(std::string& svg, const Layout& layout, const ProgressByState* progress, double left,
          double top) {
  for (const Arrow& arrow : layout.arrows) {
    const Layout::Box& from = layout.boxes[arrow.from];
    const Layout::Box& to = layout.boxes[arrow.to];
    if (from.width == 0 || to.width == 0) continue;
    const double x1 = left + from.x + from.width / 2;
    const double y1 = top + from.y + from.height;
    const double x2 = left + to.x + to.width / 2;
    const double y2 = top + to.y;
    const bool down = y2 > y1;
    // An arrow back up goes around the right side of both boxes.
    const double bend = left + std::max(from.x + from.width, to.x + to.width) + kGap / 2;
    const std::string line =
        down ? fmt::format("M{:.0f} {:.0f} C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x1, y1, x1,
                           y1 + kGap / 2, x2, y2 - kGap / 2, x2, y2)
             : fmt::format("M{:.0f} {:.0f} C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}",
                           left + from.x + from.width, y1 - from.height / 2, bend,
                           y1 - from.height / 2, bend, y2 + to.height / 2, left + to.x + to.width,
                           y2 + to.height / 2);
    svg += fmt::format("<path class=\"{}\" d=\"{}\" marker-end=\"url(#tip)\"/>\n",
                       arrow.label == "Catch" ? "arrow catch" : "arrow", line);
    if (!arrow.label.empty()) {
      svg += fmt::format("<text class=\"label\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
                         (x1 + x2) / 2 + 6, (y1 + y2) / 2, arrow.label);
    }
  }
  for (std::size_t i = 0; i < layout.boxes.size(); ++i) {
    const Layout::Box& box = layout.boxes[i];
    if (box.width == 0) continue;
    const State& state = layout.flow->states[i];
    const double x = left + box.x;
    const double y = top + box.y;
    svg += fmt::format(
        "<rect class=\"state {}{}\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
        "rx=\"8\"/>\n<text class=\"name\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n<text "
        "class=\"type\" x=\"{:.0f}\" y=\"{:.0f}\">{}{}</text>\n",
        to_string(state.type()), svg_class(progress, state.name), x, y, box.width, box.height,
        x + box.width / 2, y + 18, base::escape_markup(state.name), x + box.width / 2, y + 34,
        to_string(state.type()),
        state.next.empty() && state.type() != StateType::choice ? " (end)" : "");
    double inner_left = x + kPadding;
    for (const Layout& inside : box.inside) {
      draw(svg, inside, progress, inner_left, y + kBoxHeight);
      inner_left += inside.width + kPadding;
    }
  }
}

void write_text(std::string& text, const StateMachine& machine, const Flow& flow,
                const ProgressByState* progress, const std::string& indent) {
  const std::vector<Arrow> arrows = arrows_of(flow);
  for (const auto& row : rows_of(flow, arrows)) {
    for (const std::size_t index : row) {
      const State& state = flow.states[index];
      const std::string title = fmt::format("{} ({}{})", state.name, to_string(state.type()),
                                            flow.start_at == state.name ? ", start" : "");
      std::string line;
      for (std::size_t i = 0; i < query::count_code_points(title) + 2; ++i) line += "\u2500";
      const std::string begin(terminal_colour(progress, state.name));
      const std::string end = begin.empty() ? "" : "\x1b[0m";
      text += indent + begin + "\u250C" + line + "\u2510" + end + "\n";
      text += indent + begin + "\u2502 " + title + " \u2502" + end + "\n";
      text += indent + begin + "\u2514" + line + "\u2518" + end + "\n";
      const auto inner = inner_flows(state);
      for (std::size_t i = 0; i < inner.size(); ++i) {
        text += indent + "  " +
                (state.type() == StateType::map ? std::string("each item:")
                                                : fmt::format("branch {}:", i)) +
                "\n";
        write_text(text, machine, machine.flow(inner[i]), progress, indent + "    ");
      }
      bool goes_on = false;
      for (const Arrow& arrow : arrows) {
        if (arrow.from != index) continue;
        goes_on = true;
        text += indent + "  \u2514\u2500" + (arrow.label.empty() ? "" : " " + arrow.label) +
                "\u2500> " + flow.states[arrow.to].name + "\n";
      }
      if (!goes_on) text += indent + "  \u2514\u2500> (end)\n";
    }
  }
}

}  // namespace

std::string draw_svg(const StateMachine& machine, const ProgressByState* progress) {
  const Layout layout = lay_out(machine, machine.main());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 "
      "0 {0:.0f} {1:.0f}\">\n",
      layout.width + 2 * kGap, layout.height + 2 * kGap);
  svg +=
      "<style>.state{fill:#f4f7fb;stroke:#3b5b87}.Choice{fill:#fff6da;stroke:#b98a00}"
      ".Succeed{fill:#e5f6e8;stroke:#2e7d3a}.Fail{fill:#fde8e6;stroke:#b3261e}"
      ".Wait{fill:#f1eafb;stroke:#6b4fa0}.arrow{fill:none;stroke:#555}.catch{stroke-dasharray:4}"
      "text{font:13px sans-serif;text-anchor:middle;fill:#222}.type{font-size:10px;fill:#666}"
      ".unreached{fill:#eee;stroke:#999}.running{fill:#cfe2ff;stroke:#1a5fd0}"
      ".succeeded{fill:#d5f2da;stroke:#2e7d3a}.failed{fill:#fbd3cf;stroke:#b3261e}"
      ".label{font-size:10px;text-anchor:start;fill:#666}</style>\n"
      "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
      "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker>"
      "</defs>\n";
  draw(svg, layout, progress, kGap, kGap);
  return svg + "</svg>\n";
}

std::string draw_text(const StateMachine& machine, const ProgressByState* progress) {
  std::string text;
  write_text(text, machine, machine.main(), progress, "");
  return text;
}

}  // namespace andon::asl
