// SPDX-License-Identifier: Apache-2.0
// The Lifecycle sections of a recipe: from what people wrote (keys in any case, steps as text or
// object, selection keys at any level) to one Lifecycle for one platform. Pure; any thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "recipe/reader/problem.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

// The keys that may stand in the global lifecycle to choose between platforms.
[[nodiscard]] std::set<std::string> selection_keywords(const std::vector<Manifest>& manifests);

// What is found: problems, for which the recipe is refused, and keys that mean nothing.
struct LifecycleFindings {
  Problems& problems;
  Problems& ignored;
};

// Step names in lower case, members as in Greengrass's documentation; keys in `keywords` are kept,
// and those that Greengrass does not know are left out.
[[nodiscard]] json::object normalise_lifecycle(const json::object& lifecycle,
                                               const std::set<std::string>& keywords,
                                               const std::string& place,
                                               const LifecycleFindings& findings);

// What `manifest` runs: its own lifecycle, or the global one in which, in each object that has a
// key from the keywords, only the first of the manifest's selections (else "all") is kept.
[[nodiscard]] json::object effective_lifecycle(const Recipe& recipe, const Manifest& manifest);

// From the form that effective_lifecycle gives.
[[nodiscard]] Lifecycle read_lifecycle(const json::object& lifecycle, const std::string& place,
                                       Problems& problems);

}  // namespace andon::recipe
