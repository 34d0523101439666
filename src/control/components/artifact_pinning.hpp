// SPDX-License-Identifier: Apache-2.0
// Takes a component version's artifacts out of the hands of whoever may change the source objects:
// s3:// artifacts are copied, by reference, to a bucket of their own, and the recipe then names
// them as greengrass: URIs with digest and size. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recipe/recipe/recipe.hpp"
#include "store/objects/object_store.hpp"

namespace andon::control {

struct PinnedArtifact {
  std::string name;  // after "greengrass:" in the recipe
  std::string sha256;
  std::uint64_t size = 0;
  std::string key;  // in kArtifactBucket
};

// Rewrites the artifacts of `recipe`; answers what was pinned, each name once. Two manifests may
// use one file name for different contents: the second is then named "<digest>/<file>".
// Throws invalid_argument naming manifest and artifact for an object that is not there, a digest
// that does not fit it, or a scheme that devices cannot fetch; what was pinned so far is released.
[[nodiscard]] std::vector<PinnedArtifact> pin_artifacts(store::ObjectStore& objects,
                                                        recipe::Recipe& recipe);
void release_artifacts(store::ObjectStore& objects, const std::vector<PinnedArtifact>& artifacts);

}  // namespace andon::control
