// SPDX-License-Identifier: Apache-2.0
// What recipe variables of a component stand for on this device. Pure.
#pragma once

#include <string>

#include "edge/configuration/configuration_store.hpp"
#include "edge/state/installed_set.hpp"
#include "edge/state/layout.hpp"
#include "recipe/recipe/interpolate.hpp"

namespace andon::edge {

[[nodiscard]] recipe::InterpolationContext interpolation_context(
    const Layout& layout, const std::string& thing_name, const InstalledSet& set,
    const InstalledComponent& component, const Configurations& configurations);

}  // namespace andon::edge
