// SPDX-License-Identifier: Apache-2.0
#include "report/page/optimization_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "report/chart/chart.hpp"
#include "report/chart/html.hpp"

namespace andon::report {
namespace {

using base::Latency;
using model::ModelFigures;
using model::OptimizationReport;

constexpr std::size_t kLayersShown = 30;

// "x0.29", or nothing.
std::string ratio(double before, double after) {
  return before > 0 ? fmt::format("x{:.2f}", after / before) : "";
}

std::string before_and_after(const OptimizationReport& report) {
  Table rows{{"", "before", "after", "after against before"}, {}};
  rows.rows.push_back(
      {"file", megabytes(report.before.bytes), megabytes(report.after.bytes),
       ratio(static_cast<double>(report.before.bytes), static_cast<double>(report.after.bytes))});
  const auto difference = [](std::optional<double> before, std::optional<double> after) {
    return before && after ? fmt::format("{:+.4f}", *after - *before) : std::string();
  };
  if (report.before.score || report.after.score) {
    rows.rows.push_back({report.measure, number(report.before.score, 4),
                         number(report.after.score, 4),
                         difference(report.before.score, report.after.score)});
  }
  if (report.before.map50 || report.after.map50) {
    rows.rows.push_back({"mAP50", number(report.before.map50, 4), number(report.after.map50, 4),
                         difference(report.before.map50, report.after.map50)});
  }
  if (report.before.latency && report.after.latency) {
    const auto add = [&](const char* name, double Latency::*figure) {
      const double before = (*report.before.latency).*figure;
      const double after = (*report.after.latency).*figure;
      rows.rows.push_back({fmt::format("network, {} ms", name), number(before), number(after),
                           ratio(before, after)});
    };
    add("median", &Latency::p50_ms);
    add("90th percentile", &Latency::p90_ms);
    add("95th percentile", &Latency::p95_ms);
    add("99th percentile", &Latency::p99_ms);
  }
  rows.rows.push_back(
      {"operators", std::to_string(report.nodes_before), std::to_string(report.nodes_after), ""});
  rows.rows.push_back(
      {"opset", std::to_string(report.opset_before), std::to_string(report.opset_after), ""});
  return table(rows);
}

std::vector<Headline> main_figures(const OptimizationReport& report) {
  std::vector<Headline> figures;
  figures.push_back(
      {"file",
       ratio(static_cast<double>(report.before.bytes), static_cast<double>(report.after.bytes)),
       megabytes(report.before.bytes) + " to " + megabytes(report.after.bytes)});
  if (report.before.latency && report.after.latency) {
    figures.push_back({"time in the network",
                       ratio(report.before.latency->p50_ms, report.after.latency->p50_ms),
                       fmt::format("{:.1f} to {:.1f} ms, median", report.before.latency->p50_ms,
                                   report.after.latency->p50_ms)});
  }
  if (report.after.score) {
    figures.push_back(
        {report.measure, number(report.after.score, 4),
         fmt::format("{:+.4f}, at most \u2212{:g} allowed", -report.drop, report.max_drop)});
    figures.push_back({"gate", report.gate_held ? "held" : "not held",
                       report.gate_held ? "fit for use" : "not to be registered"});
  }
  return figures;
}

std::string sensitivity_section(const OptimizationReport& report) {
  if (report.sensitivities.empty()) return {};
  std::vector<Bar> bars;
  for (const model::LayerSensitivity& layer : report.sensitivities) {
    if (bars.size() == kLayersShown) break;
    bars.push_back(
        {layer.node, layer.error,
         fmt::format("{:.5f}{}", layer.error, layer.is_excluded ? ", left in float" : ""),
         layer.is_excluded});
  }
  std::string text = heading("Sensitivity of layers");
  text += paragraph(
      "How far the outputs move when only this layer has eight bits, worst first. Orange: left in "
      "float for it.");
  if (report.sensitivities.size() > bars.size()) {
    text += note(fmt::format("The {} worst of {}; all are in the JSON.", bars.size(),
                             report.sensitivities.size()));
  }
  return text + gallery({bar_chart("Error by layer", bars)});
}

// Nodes by the reason why, in the order of the first of each.
std::string float_section(const OptimizationReport& report) {
  if (report.in_float.empty()) return {};
  struct Group {
    std::string reason;
    std::vector<const model::NodeInFloat*> nodes;
  };
  std::vector<Group> groups;
  for (const model::NodeInFloat& node : report.in_float) {
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& other) { return other.reason == node.reason; });
    if (group == groups.end()) group = groups.insert(groups.end(), {node.reason, {}});
    group->nodes.push_back(&node);
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Group& group : groups) {
    std::string names;
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
      if (i == kLayersShown) {
        names += fmt::format(" and {} more", group.nodes.size() - i);
        break;
      }
      names += fmt::format("{}{} ({})", i == 0 ? "" : ", ", group.nodes[i]->node,
                           group.nodes[i]->operation);
    }
    rows.emplace_back(fmt::format("{} ({})", group.reason, group.nodes.size()), names);
  }
  return heading("Left in float") + facts(rows);
}

std::string rounds_section(const OptimizationReport& report) {
  if (report.rounds.size() < 2) return {};
  Table rows{{"round", "layers left in float", "file", report.measure}, {}};
  for (std::size_t i = 0; i < report.rounds.size(); ++i) {
    const model::OptimizationRound& round = report.rounds[i];
    rows.rows.push_back({std::to_string(i + 1), std::to_string(round.excluded_layers),
                         megabytes(round.bytes), number(round.score, 4)});
  }
  return heading("Until the gate held") + table(rows);
}

std::string made_section(const OptimizationReport& report) {
  std::vector<std::pair<std::string, std::string>> rows{
      {"source", fmt::format("{}, {}", report.model_name, report.before.digest)},
      {"result", report.after.digest},
      {"weights", report.weights},
      {"head", report.head}};
  if (!report.calibration_method.empty()) {
    rows.emplace_back("calibration",
                      fmt::format("{}, {} pictures, {}", report.calibration_method,
                                  report.calibration_images, report.calibration_digest));
  }
  for (const std::string& pass : report.passes) rows.emplace_back("clean-up", pass);
  if (!report.device_graph.empty()) rows.emplace_back("device graph", report.device_graph);
  for (const model::StepTime& time : report.times) {
    rows.emplace_back(time.step, fmt::format("{:.2f} s", time.seconds));
  }
  rows.emplace_back("made by", fmt::format("{}, ONNX Runtime {}", report.tool, report.runtime));
  return heading("How it was made") + facts(rows);
}

}  // namespace

std::string to_html(const OptimizationReport& report, const Differences* differences) {
  std::string body = headlines(main_figures(report));
  if (report.measure == "none") body += paragraph("No gate was asked for: nothing was compared.");
  if (!report.no_evidence.empty()) {
    body += paragraph("The gate has no evidence: " + report.no_evidence + ".");
  }
  body += heading("Before and after") + before_and_after(report);
  body += rounds_section(report) + sensitivity_section(report) + float_section(report);
  if (differences != nullptr) {
    body +=
        heading("The same findings?") + paragraph(summary(*differences)) + to_html(*differences);
  }
  body += made_section(report);
  return page("Optimisation of " + report.model_name, body);
}

}  // namespace andon::report
