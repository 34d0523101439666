// SPDX-License-Identifier: Apache-2.0
// A recipe with the text that it was served as: parsed once, where the text comes in, and passed on
// as this. Copies share one content that never changes, for a plan, the last good set and the
// threads that work on them hold the same components. Any thread.
#pragma once

#include <memory>
#include <string>

#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

class ServedRecipe {
 public:
  ServedRecipe();  // of no component, with an empty text
  // Throws as parse_recipe() does.
  explicit ServedRecipe(std::string text);
  // `recipe` was parsed from `text`.
  ServedRecipe(std::string text, Recipe recipe);

  [[nodiscard]] const std::string& text() const { return content_->text; }
  [[nodiscard]] const Recipe& operator*() const { return content_->recipe; }
  [[nodiscard]] const Recipe* operator->() const { return &content_->recipe; }

 private:
  struct Content {
    std::string text;
    Recipe recipe;
  };
  std::shared_ptr<const Content> content_;
};

}  // namespace andon::recipe
