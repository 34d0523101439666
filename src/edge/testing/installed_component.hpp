// SPDX-License-Identifier: Apache-2.0
// A component as a device has it, with the smallest recipe that can be read.
#pragma once

#include <string>

#include "edge/state/installed_set.hpp"

namespace andon::edge {

inline InstalledComponent installed_component(const std::string& name,
                                              const std::string& version = "1.0.0") {
  InstalledComponent component;
  component.name = name;
  component.version = version;
  component.recipe = recipe::ServedRecipe(
      R"({"RecipeFormatVersion":"2020-01-25","ComponentName":")" + name +
      R"(","ComponentVersion":")" + version +
      R"(","Manifests":[{"Platform":{"os":"linux"},"Lifecycle":{"run":"true"}}]})");
  return component;
}

}  // namespace andon::edge
