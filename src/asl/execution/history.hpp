// SPDX-License-Identifier: Apache-2.0
// Events of an execution's history, in the names and shapes of GetExecutionHistory. Large data in
// them is shared with the execution and becomes text only when somebody asks. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "asl/data/data.hpp"
#include "base/time/time.hpp"

namespace andon::asl {

struct HistoryEvent {
  std::int64_t id = 0;
  std::int64_t previous = 0;
  base::Timestamp time;
  std::string type;      // "TaskStateEntered"
  std::string details;   // "stateEnteredEventDetails"; empty where the type has none
  json::object members;  // of the details, scalars
  std::vector<std::pair<std::string, Data>> texts;     // members that are JSON text
  std::vector<std::pair<std::string, Data>> assigned;  // assignedVariables
};

// The event as GetExecutionHistory gives it, with the timestamp as a number.
[[nodiscard]] json::value to_json(const HistoryEvent& event);
// The same for all of them, as the text of a list.
[[nodiscard]] std::string to_text(const std::vector<HistoryEvent>& events);

}  // namespace andon::asl
