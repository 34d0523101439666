// SPDX-License-Identifier: Apache-2.0
// Recipes and artifacts of a local deployment, from directories that somebody filled by hand. Each
// artifact that is there is stored by its digest, which its recipe then names: from there on it is
// like one of the server's. Blocks; on a deployment's background thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "edge/local/local_request.hpp"
#include "edge/state/layout.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/recipe/resolve.hpp"

namespace andon::edge {

class LocalRecipes {
 public:
  // Reads all recipes (*.json, *.yaml, *.yml) of the request's directory. Throws invalid_argument
  // naming the file that is none.
  LocalRecipes(const Layout& layout, const LocalRequest& request,
               recipe::PlatformAttributes platform);

  [[nodiscard]] bool has(const std::string& component) const {
    return recipes_.contains(component);
  }
  // The newest version that satisfies all, its artifacts stored; nothing where there is none.
  [[nodiscard]] std::optional<recipe::Candidate> find(
      const std::string& component, const recipe::Requirements& requirements) const;

 private:
  [[nodiscard]] recipe::Candidate with_artifacts(recipe::Recipe recipe) const;

  const Layout& layout_;
  fs::path artifacts_;
  recipe::PlatformAttributes platform_;
  std::map<std::string, std::vector<recipe::Recipe>> recipes_;  // by component
};

}  // namespace andon::edge
