// SPDX-License-Identifier: Apache-2.0
// Reads recipes that people wrote: JSON or YAML, keys in any case, at most 64 KiB, no aliases or
// duplicate keys. Finds all problems at once. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "recipe/reader/json_or_yaml.hpp"
#include "recipe/reader/problem.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

constexpr std::size_t kMaxRecipeBytes = 64U << 10U;

struct RecipeCheck {
  std::optional<Recipe> recipe;  // there if and only if there are no problems
  Problems problems;
};

[[nodiscard]] RecipeCheck check_recipe(std::string_view text);

// The same, throwing invalid_argument with all problems.
[[nodiscard]] Recipe parse_recipe(std::string_view text);

// How many texts this process has parsed. Each is parsed once, where it comes in: tests hold the
// way of a deployment to that.
[[nodiscard]] std::uint64_t recipes_parsed();

}  // namespace andon::recipe
