// SPDX-License-Identifier: Apache-2.0
// How a component's configuration changes with a deployment. Values; pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace andon::recipe {

namespace json = base::json;

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
