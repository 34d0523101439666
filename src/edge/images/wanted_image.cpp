// SPDX-License-Identifier: Apache-2.0
#include "edge/images/wanted_image.hpp"

#include <algorithm>
#include <utility>

#include "edge/state/deployment_failure.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::edge {

std::string WantedImage::describe() const {
  return "image " + (image.tag.empty() ? image.name : image.by_tag()) + '@' + image.digest +
         " of component " + component + ' ' + version;
}

std::vector<WantedImage> wanted_images(const InstalledComponent& component,
                                       const recipe::PlatformAttributes& own) {
  std::vector<WantedImage> wanted;
  const recipe::Recipe& recipe = *component.recipe;
  const recipe::Manifest* const manifest = recipe::select_manifest(recipe, own);
  if (manifest == nullptr) return wanted;
  for (const recipe::Artifact& artifact : manifest->artifacts) {
    if (!recipe::is_image_uri(artifact.uri)) continue;
    WantedImage one{component.name, component.version, {}, component.run_as};
    try {
      one.image = recipe::parse_pinned_image_uri(artifact.uri);
    } catch (const base::Error& error) {
      throw DeploymentFailure(error.code(), "component " + recipe.id() + ": " + error.message(),
                              {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ARTIFACT_URI_NOT_VALID"},
                              {"COMPONENT_RECIPE_ERROR"});
    }
    const recipe::Lifecycle lifecycle = recipe::select_lifecycle(recipe, *manifest);
    one.has_privileged_step = std::ranges::any_of(
        lifecycle.steps, [](const auto& step) { return step.second.requires_privilege; });
    wanted.push_back(std::move(one));
  }
  return wanted;
}

std::vector<WantedImage> wanted_images(const InstalledSet& set,
                                       const recipe::PlatformAttributes& own) {
  std::vector<WantedImage> all;
  for (const InstalledComponent& component : set.components) {
    for (WantedImage& wanted : wanted_images(component, own)) all.push_back(std::move(wanted));
  }
  return all;
}

}  // namespace andon::edge
