// SPDX-License-Identifier: Apache-2.0
// What the variables of a text name (interpolate.hpp fills them in). Pure; any thread.
#pragma once

#include <string_view>

namespace andon::recipe {

// Has it a {component:namespace:key}?
[[nodiscard]] bool names_other_components(std::string_view text);

}  // namespace andon::recipe
