// SPDX-License-Identifier: Apache-2.0
// The one form in which recipes go to devices: JSON with the exact keys that both kinds of
// Greengrass nucleus read, `Artifacts`, `Platform.os` and `Platform.runtime` always there, version
// ranges as plain comparators. parse_recipe reads it back to an equal recipe. Pure; any thread.
#pragma once

#include "base/json/fwd.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

// What "canonical" leaves alone: artifact URIs. A server that serves the bytes itself first
// replaces them with greengrass_uri().
[[nodiscard]] json::object to_canonical_json(const Recipe& recipe);

// "greengrass:<file name>": the device asks the data plane for the bytes.
[[nodiscard]] std::string greengrass_uri(const Artifact& artifact);

}  // namespace andon::recipe
