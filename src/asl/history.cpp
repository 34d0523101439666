// SPDX-License-Identifier: Apache-2.0
#include "asl/history.hpp"

namespace andon::asl {

json::value to_json(const HistoryEvent& event) {
  json::object result{{"timestamp", base::to_epoch_seconds(event.time)},
                      {"type", event.type},
                      {"id", event.id},
                      {"previousEventId", event.previous}};
  if (event.details.empty()) return result;
  json::object details = event.members;
  const json::object whole{{"truncated", false}};
  for (const auto& [key, data] : event.texts) {
    details[key] = base::to_text(*data);
    if (key == "input" || key == "output") details[key + "Details"] = whole;
  }
  if (!event.assigned.empty()) {
    json::object variables;
    for (const auto& [name, data] : event.assigned) variables[name] = base::to_text(*data);
    details["assignedVariables"] = std::move(variables);
    details["assignedVariablesDetails"] = whole;
  }
  result[event.details] = std::move(details);
  return result;
}

}  // namespace andon::asl
