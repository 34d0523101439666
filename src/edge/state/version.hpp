// SPDX-License-Identifier: Apache-2.0
// What the agent says of itself in health messages and to components.
#pragma once

#include <string_view>

namespace andon::edge {

constexpr std::string_view kCoreVersion = "2.13.0-andon";
constexpr std::string_view kRuntime = "andon_edge";

}  // namespace andon::edge
