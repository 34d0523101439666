// SPDX-License-Identifier: Apache-2.0
// Recipe variables: {namespace:key} of the component itself, {component:namespace:key} of a direct
// dependency. Plain substitution of text, without quoting, as the Greengrass nucleus does. What has
// the form of a variable but an unknown namespace is left alone (it may be shell).
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

struct ComponentValues {
  json::object configuration;
  std::string artifacts_path;               // {artifacts:path}
  std::string decompressed_artifacts_path;  // {artifacts:decompressedPath}
  std::string work_path;                    // {work:path}
};

struct InterpolationContext {
  ComponentValues self;
  std::map<std::string, ComponentValues> dependencies;  // direct ones, by component name
  std::string root_path;                                // {kernel:rootPath}
  std::string thing_name;                               // {iot:thingName}
};

// `where` names the text in errors ("step run of com.example.Hello"). Throws invalid_argument for
// a configuration pointer that leads nowhere, an unknown key of a known namespace, and a component
// that is not a dependency: a script must never run with a hole in it.
[[nodiscard]] std::string interpolate(std::string_view text, const InterpolationContext& context,
                                      std::string_view where);

// Scripts, Skipif, Timeout and Setenv.
[[nodiscard]] Lifecycle interpolate(const Lifecycle& lifecycle, const InterpolationContext& context,
                                    std::string_view where);

// Every text in `value`, keys excepted (for accessControl and configuration).
[[nodiscard]] json::value interpolate_json(const json::value& value,
                                           const InterpolationContext& context,
                                           std::string_view where);

}  // namespace andon::recipe
