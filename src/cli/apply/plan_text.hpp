// SPDX-License-Identifier: Apache-2.0
// A plan as a person reads it: a line for each resource, what differs below it. Pure.
#pragma once

#include <string>

#include "base/json/json.hpp"

namespace andon::cli {

// Of PlanStack's answer.
[[nodiscard]] std::string plan_text(const std::string& stack, const base::json::value& plan);

}  // namespace andon::cli
