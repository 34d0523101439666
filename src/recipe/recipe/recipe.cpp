// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/recipe.hpp"

#include <algorithm>

#include "recipe/image/image_reference.hpp"
#include "recipe/recipe/lifecycle.hpp"

namespace andon::recipe {

std::string Recipe::id() const {
  return component_name + " " + component_version.to_string();
}

const Manifest* select_manifest(const Recipe& recipe, const PlatformAttributes& device) {
  const auto manifest =
      std::find_if(recipe.manifests.begin(), recipe.manifests.end(),
                   [&](const Manifest& m) { return platform_matches(m.platform, device); });
  return manifest == recipe.manifests.end() ? nullptr : &*manifest;
}

Lifecycle select_lifecycle(const Recipe& recipe, const Manifest& manifest) {
  Problems problems;
  auto lifecycle = read_lifecycle(effective_lifecycle(recipe, manifest), "/Lifecycle", problems);
  throw_if_any(problems, "the lifecycle of " + recipe.id());
  return lifecycle;
}

std::string artifact_file_name(std::string_view uri) {
  if (is_image_uri(uri)) return {};
  const auto slash = uri.find_last_of("/:");
  return std::string(slash == std::string_view::npos ? uri : uri.substr(slash + 1));
}

}  // namespace andon::recipe
