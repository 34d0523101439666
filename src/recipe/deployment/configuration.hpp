// SPDX-License-Identifier: Apache-2.0
// How a component's configuration changes with a deployment. Values; pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"

namespace andon::recipe {

namespace json = base::json;

// A component's configuration: what is written must be readable again (base::JsonLimits), and small
// enough for a device that holds all of them in memory.
inline constexpr std::size_t kMaxConfigurationDepth = 24;
inline constexpr std::size_t kMaxConfigurationBytes = 1U << 20U;   // as JSON text
inline constexpr std::size_t kMaxConfigurationsBytes = 8U << 20U;  // of all components of a device

// Lists and objects inside one another; counts no further than `limit` + 1.
[[nodiscard]] std::size_t depth_of(const json::value& value, std::size_t limit);

struct ConfigurationUpdate {
  std::vector<std::string> reset;  // JSON pointers; "" is the whole configuration
  std::optional<json::object> merge;

  [[nodiscard]] bool empty() const { return reset.empty() && !merge; }
};

// Key by key: objects merge, everything else replaces (also null, lists and a change of type).
void merge_configuration(json::object& into, const json::object& patch);

// 1. each reset pointer returns to the recipe's default, or goes where there is none; 2. defaults
// fill what is missing; 3. merge. A pointer that leads nowhere changes nothing; one into a list
// throws invalid_argument.
[[nodiscard]] json::object update_configuration(const json::object& current,
                                                const json::object& defaults,
                                                const ConfigurationUpdate& update);

}  // namespace andon::recipe
