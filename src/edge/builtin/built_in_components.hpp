// SPDX-License-Identifier: Apache-2.0
// Room: builtin. Greengrass' own components, as the agent has them: every version that is wanted is
// there, with no artifacts and no scripts; their configuration is merged and kept as anybody's,
// they are listed as installed, and no server is asked for them. One table. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "recipe/recipe/resolve.hpp"

namespace andon::edge {

inline constexpr std::string_view kNucleus = "aws.greengrass.Nucleus";

struct BuiltInComponent {
  std::string_view name;
  std::string_view nominal_version;  // where nobody wants another one
  std::string_view description;
  std::string_view defaults;  // its configuration, a JSON object
  // Keys of the configuration that the agent acts on, separated by blanks: "key" with all below it,
  // or "key.below". The others are kept, and named in a warning.
  std::string_view honoured;
  std::string_view needs = {};  // another of the table, which comes with it
  std::string_view run = {};    // its run step, with all rights
};

[[nodiscard]] std::span<const BuiltInComponent> built_in_table();
// Null where the agent has none of that name.
[[nodiscard]] const BuiltInComponent* find_built_in(std::string_view name);

// Nothing where the requirements hold no version at all.
[[nodiscard]] std::optional<recipe::Candidate> built_in_candidate(
    const BuiltInComponent& component, const recipe::Requirements& requirements);

// Keys of `configuration` that the agent does not act on, as paths: "awsRegion",
// "mqtt.pingTimeoutMs".
[[nodiscard]] std::vector<std::string> keys_without_effect(const BuiltInComponent& component,
                                                           const base::json::object& configuration);

}  // namespace andon::edge
