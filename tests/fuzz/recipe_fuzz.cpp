// SPDX-License-Identifier: Apache-2.0
// A recipe, JSON or YAML, either has problems or can be served and read back to the same form.
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "recipe/recipe/canonical_recipe.hpp"
#include "recipe/recipe/recipe_parser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const auto check =
      recipe::check_recipe(std::string_view(reinterpret_cast<const char*>(data), size));
  if (check.recipe.has_value() != check.problems.empty()) std::abort();
  if (!check.recipe) return 0;
  const auto* manifest = recipe::select_manifest(*check.recipe, recipe::linux_platform("armv7l"));
  if (manifest != nullptr) static_cast<void>(recipe::select_lifecycle(*check.recipe, *manifest));
  const auto served = base::to_text(recipe::to_canonical_json(*check.recipe));
  if (served.size() > recipe::kMaxRecipeBytes) return 0;
  const auto again = recipe::check_recipe(served);
  // Ranges grow when they are written out, some beyond the limit of their length.
  if (!again.recipe) return 0;
  if (base::to_text(recipe::to_canonical_json(*again.recipe)) != served) std::abort();
  return 0;
}
