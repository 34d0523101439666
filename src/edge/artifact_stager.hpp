// SPDX-License-Identifier: Apache-2.0
// Puts verified artifacts where a component's scripts find them: packages/artifacts/<c>/<v>/ and,
// unpacked, packages/artifacts-unarchived/<c>/<v>/. Called on a deployment's background thread.
// Each version's directory appears whole by a rename, and is marked complete after it is on the
// disk, so that a crash anywhere leaves nothing that is taken for complete.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "edge/installed_set.hpp"
#include "edge/layout.hpp"
#include "edge/wanted_artifact.hpp"

namespace andon::edge {

// Stages what is not staged yet. Throws DeploymentFailure naming component and artifact.
void stage_component(const Layout& layout, const InstalledComponent& component,
                     const std::vector<WantedArtifact>& artifacts);

// Removes versions, recipes and blobs that no component of `keep` uses.
void collect_garbage(const Layout& layout, const InstalledSet& keep,
                     const recipe::PlatformAttributes& own);

}  // namespace andon::edge
