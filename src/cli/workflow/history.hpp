// SPDX-License-Identifier: Apache-2.0
// An execution's history for people: a line an event, and how far each state is. Pure.
#pragma once

#include <string>

#include "base/json/json.hpp"
#include "report/state_graph/graph.hpp"

namespace andon::cli {

// "2026-11-29T03:07:24.368Z     7  TaskFailed  Make  Iot.ResourceNotFoundException: ..."
[[nodiscard]] std::string event_line(const base::json::value& event);

// By the events of GetExecutionHistory, oldest first, and the execution's status.
[[nodiscard]] asl::ProgressByState progress_of(const base::json::array& events,
                                               std::string_view status);

}  // namespace andon::cli
