// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/served_recipe.hpp"

#include <utility>

#include "recipe/recipe/recipe_parser.hpp"

namespace andon::recipe {

ServedRecipe::ServedRecipe() : ServedRecipe(std::string(), Recipe()) {}

ServedRecipe::ServedRecipe(std::string text) {
  Recipe recipe = parse_recipe(text);
  content_ = std::make_shared<const Content>(Content{std::move(text), std::move(recipe)});
}

ServedRecipe::ServedRecipe(std::string text, Recipe recipe)
    : content_(std::make_shared<const Content>(Content{std::move(text), std::move(recipe)})) {}

}  // namespace andon::recipe
