// SPDX-License-Identifier: Apache-2.0
// A drawing of a state machine: states in rows by their distance from the start, branches and
// iterations inside their state. As SVG, and as boxes and arrows of text. Pure; any thread.
#pragma once

#include <string>

#include "asl/machine.hpp"

namespace andon::asl {

[[nodiscard]] std::string draw_svg(const StateMachine& machine);
[[nodiscard]] std::string draw_text(const StateMachine& machine);

}  // namespace andon::asl
