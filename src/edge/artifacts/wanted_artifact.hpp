// SPDX-License-Identifier: Apache-2.0
// The artifacts that a set of components needs, taken from their recipes. Values; pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "edge/state/installed_set.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::edge {

struct WantedArtifact {
  std::string component;
  std::string version;
  std::string arn;     // of the component version
  std::string name;    // what the data plane calls it
  std::string run_as;  // who must be able to read it; "": the agent itself
  recipe::Artifact artifact;
  std::string sha256;  // lower-case hex

  // "artifact model.onnx of component com.example.Model 1.0.0"
  [[nodiscard]] std::string describe() const;
};

// Files: container images are wanted_images(). Throws DeploymentFailure for an artifact that cannot
// be fetched or verified (one without a SHA-256 digest, a name that is not a plain file name) and
// for a recipe without a manifest for this platform.
[[nodiscard]] std::vector<WantedArtifact> wanted_artifacts(const InstalledComponent& component,
                                                           const recipe::PlatformAttributes& own);
[[nodiscard]] std::vector<WantedArtifact> wanted_artifacts(const InstalledSet& set,
                                                           const recipe::PlatformAttributes& own);

}  // namespace andon::edge
