// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/metric_operations.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kUnits{"BYTES"sv,     "BYTES_PER_SECOND"sv, "COUNT"sv, "COUNT_PER_SECOND"sv,
                            "MEGABYTES"sv, "SECONDS"sv};
constexpr std::size_t kMostNameBytes = 256;

}  // namespace

void MetricOperations::add_to(IpcOperations& operations) {
  operations["PutComponentMetric"] = {StreamAfterAnswer::closes,
                                      [this](const IpcCall& call) { return put(call); }};
}

json::object MetricOperations::put(const IpcCall& call) {
  const base::JsonReader reader(call.request, "PutComponentMetric request");
  const json::array* const metrics = reader.optional_array("metrics");
  if (metrics == nullptr || metrics->empty()) {
    throw invalid_arguments("metrics must name at least one metric");
  }
  const auto known = metrics_.find(call.component);
  json::object changed = known == metrics_.end() ? json::object{} : known->second;
  for (const json::value& entry : *metrics) {
    const base::JsonReader metric(entry, "metrics[]");
    const std::string name = metric.string("name");
    const std::string unit = metric.string("unit");
    const auto value = metric.optional_number("value");
    if (name.empty() || name.size() > kMostNameBytes) {
      throw invalid_arguments("a metric's name must have 1 to 256 bytes");
    }
    if (std::ranges::find(kUnits, unit) == kUnits.end()) {
      throw invalid_arguments("'" + unit + "' is not a unit of metrics");
    }
    if (!value || !std::isfinite(*value) || *value < 0) {
      throw invalid_arguments("the value of metric " + name + " must be a number from 0");
    }
    changed[name] = json::object{{"unit", unit}, {"value", *value}};
  }
  if (changed.size() > kMostOfComponent) {
    throw invalid_arguments("a component has at most " + std::to_string(kMostOfComponent) +
                            " metrics");
  }
  metrics_[call.component] = std::move(changed);
  return {};
}

json::object MetricOperations::of(const std::string& component) const {
  const auto found = metrics_.find(component);
  return found == metrics_.end() ? json::object{} : found->second;
}

}  // namespace andon::edge
