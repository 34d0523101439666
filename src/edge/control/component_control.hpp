// SPDX-License-Identifier: Apache-2.0
// What is asked of one component, the same for who sits at the device and for who asks through the
// server. Blocks; any thread but the agent's loop.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

namespace json = base::json;

// {"name", "version", "state", "reason", ...} each; works without a running agent.
[[nodiscard]] json::array components_of(const Layout& layout);

enum class ComponentWord { restart, stop };
// Through the control socket of the agent, whose answer is given. Throws not_found for a component
// that is not there, failed_precondition where no agent runs or it is no time for it.
json::object tell_component(const Layout& layout, ComponentWord word, const std::string& name);

// `name`, or, where it is empty, the only component that is no part of the agent. Throws
// invalid_argument that names those that there are.
[[nodiscard]] std::string one_component(const Layout& layout, const std::string& name);

}  // namespace andon::edge
