// SPDX-License-Identifier: Apache-2.0
// Puts verified artifacts where a component's scripts find them: packages/artifacts/<c>/<v>/, whose
// files are the agent's and read-only to the component's user, and, unpacked,
// packages/artifacts-unarchived/<c>/<v>/, which is that user's to change. Called on background
// threads, one at a time. Each version's directory appears whole by a rename, and is marked
// (staged_marks.hpp) after it is on the disk, so that a crash anywhere leaves nothing that is taken
// for complete.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "edge/artifacts/staged_marks.hpp"
#include "edge/state/installed_set.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

// What check_component() and stage_component() found and did. Artifacts by name.
struct Placement {
  std::vector<std::string> replaced;  // were not what had been verified
  std::vector<std::string> missing;   // are not in place, nor stored: to be fetched
  bool is_new = false;                // staged as a whole: what its install step made is gone

  [[nodiscard]] bool is_complete() const { return missing.empty(); }
};

// Reads what is in place where its mark does not fit, and puts back from the blob store what is not
// what was verified. Throws DeploymentFailure naming component and artifact.
[[nodiscard]] Placement check_component(const Layout& layout, const StagedMarks& marks,
                                        const InstalledComponent& component,
                                        const StagedVersion& staged);

// The same for a version whose blobs have just been verified: one that is not in place is staged
// from them without reading them again.
[[nodiscard]] Placement stage_component(const Layout& layout, const StagedMarks& marks,
                                        const InstalledComponent& component,
                                        const StagedVersion& staged);

// Removes versions, recipes and blobs that no component of `keep` uses.
void collect_garbage(const Layout& layout, const InstalledSet& keep,
                     const recipe::PlatformAttributes& own);

}  // namespace andon::edge
