// SPDX-License-Identifier: Apache-2.0
// The one form in which recipes go to devices: JSON with the exact keys that both kinds of
// Greengrass nucleus read, `Artifacts`, `Platform.os` and `Platform.runtime` always there, version
// ranges as plain comparators. parse_recipe reads it back to an equal recipe. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/json/fwd.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

// The value of the platform's "runtime" that greengrass-lite says of itself, to a resolver and in
// its health.
inline constexpr std::string_view kLiteRuntime = "aws_nucleus_lite";

// What "canonical" leaves alone: artifact URIs. A server that serves the bytes itself first
// replaces them with greengrass_uri().
[[nodiscard]] json::object to_canonical_json(const Recipe& recipe);

// What greengrass-lite 2.6 reads: the one manifest that fits `device`, its platform in the two
// words that lite compares, the steps that it runs, Skipif as the first line of its step's script.
// Without a manifest where none fits.
[[nodiscard]] json::object to_lite_json(const Recipe& recipe, const PlatformAttributes& device);

// Why lite could not run what to_lite_json() gives, for people: "" where it can.
[[nodiscard]] std::string find_lite_problem(const Recipe& recipe, const PlatformAttributes& device);

// "greengrass:<file name>": the device asks the data plane for the bytes.
[[nodiscard]] std::string greengrass_uri(const Artifact& artifact);

}  // namespace andon::recipe
