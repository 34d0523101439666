// SPDX-License-Identifier: Apache-2.0
// Room: images. Container images that components name as artifacts: which are wanted, what the
// device's Docker or Podman does with them, and which of them the agent has brought.
// This: the images that a set of components needs, taken from their recipes. Values; pure.
#pragma once

#include <string>
#include <vector>

#include "edge/state/installed_set.hpp"
#include "recipe/image/image_reference.hpp"
#include "recipe/recipe/platform.hpp"

namespace andon::edge {

struct WantedImage {
  std::string component;
  std::string version;
  recipe::ImageReference image;  // with a digest
  std::string run_as;            // of the component; "": the agent's default
  bool has_privileged_step = false;

  // "image redis:7@sha256:... of component com.example.Cache 1.0.0"
  [[nodiscard]] std::string describe() const;
};

// Throws DeploymentFailure (DOCKER_ARTIFACT_URI_NOT_VALID) for one that is named wrongly, or
// without its digest. A recipe without a manifest for this platform has none: wanted_artifacts()
// says so.
[[nodiscard]] std::vector<WantedImage> wanted_images(const InstalledComponent& component,
                                                     const recipe::PlatformAttributes& own);
[[nodiscard]] std::vector<WantedImage> wanted_images(const InstalledSet& set,
                                                     const recipe::PlatformAttributes& own);

}  // namespace andon::edge
