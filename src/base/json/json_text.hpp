// SPDX-License-Identifier: Apache-2.0
// JSON that is shown to people on a terminal. Pure; any thread.
#pragma once

#include <string>

#include "base/json/json.hpp"

namespace andon::base {

// As to_text() has it, but what would steer a terminal is written as \uXXXX, which means the same.
[[nodiscard]] std::string json_text(const json::value& value);

}  // namespace andon::base
