// SPDX-License-Identifier: Apache-2.0
// A drawing of a state machine: states in rows by their distance from the start, branches and
// iterations inside their state. As SVG, and as boxes and arrows of text. Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "asl/definition/machine.hpp"

namespace andon::asl {

// How far an execution is with a state; one that it has not reached has none.
enum class Progress { running, succeeded, failed };
using ProgressByState = std::map<std::string, Progress, std::less<>>;

// With `progress` the boxes are coloured by an execution: grey where it has not been, blue where it
// is, green and red where it has been; in text by the colours of a terminal. Null: as they are.
[[nodiscard]] std::string draw_svg(const StateMachine& machine,
                                   const ProgressByState* progress = nullptr);
[[nodiscard]] std::string draw_text(const StateMachine& machine,
                                    const ProgressByState* progress = nullptr);

}  // namespace andon::asl
