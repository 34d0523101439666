// SPDX-License-Identifier: Apache-2.0
// What no configuration of a component keeps, for every component could read it: the PIN of a
// device's token. Pure; any thread.
#pragma once

#include <string_view>

#include "base/json/fwd.hpp"

namespace andon::edge {

// Takes it out. Whether there was one.
bool withhold_secrets(std::string_view component, base::json::object& configuration);

}  // namespace andon::edge
