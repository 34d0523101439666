// SPDX-License-Identifier: Apache-2.0
// By what the agent knows again, without reading it, that a staged artifact is the file that was
// verified: its inode, size and time of change, under a keyed mark, in <root>/packages/staged. Who
// can write there and has not the key can make nothing that counts. Any thread, one at a time for
// each component. A version without a mark that fits is not staged: so a crash in the middle of
// staging leaves nothing that is taken for complete.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/artifacts/wanted_artifact.hpp"
#include "edge/process/run_as.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

// A component version, and what belongs in its directory.
struct StagedVersion {
  std::string component;
  std::string version;
  std::vector<WantedArtifact> artifacts;

  [[nodiscard]] fs::path directory(const Layout& layout) const {
    return layout.artifacts_of(component, version);
  }
};

// Mode and group of the artifact's file, which is the agent's own: its user may read it, not write.
struct ArtifactAccess {
  unsigned mode = 0;
  gid_t group = 0;
};
[[nodiscard]] ArtifactAccess access_of(const WantedArtifact& wanted);
// What the recipe says, as a mode for owner, group and others.
[[nodiscard]] unsigned recipe_mode(const recipe::Artifact& artifact);

class StagedMarks {
 public:
  // With the device's key, which is made where it is missing.
  explicit StagedMarks(const Layout& layout);

  // Is all of it in its place, untouched since write()? Only looks at inodes; does not wait.
  [[nodiscard]] bool fit(const StagedVersion& staged) const;
  // The same of what shall be there, whatever is: is this version staged for these artifacts?
  [[nodiscard]] bool is_staged(const StagedVersion& staged) const;
  // Its files have been verified and are on the disk.
  void write(const StagedVersion& staged) const;
  void remove(const StagedVersion& staged) const;

 private:
  [[nodiscard]] fs::path file_of(const StagedVersion& staged) const;
  [[nodiscard]] std::string keyed_mark(const StagedVersion& staged, std::string_view text) const;

  Layout layout_;
  std::string key_;
};

}  // namespace andon::edge
