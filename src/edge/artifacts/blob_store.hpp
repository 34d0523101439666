// SPDX-License-Identifier: Apache-2.0
// Artifact bytes on the device, by their SHA-256: what is arriving (packages/blobs/partial) and
// what has been verified (packages/blobs/sha256). A file gets its place there only by adopt(),
// after its size and digest have been checked and it is on the disk. Any thread, one at a time per
// blob.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "edge/artifacts/wanted_artifact.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

class BlobStore {
 public:
  explicit BlobStore(const Layout& layout) : layout_(layout) {}

  [[nodiscard]] fs::path path(const std::string& sha256) const;
  [[nodiscard]] fs::path partial_path(const std::string& sha256) const;

  // Is there a verified blob with these bytes now? Reads all of it: a disk may have changed it.
  // One that differs is removed.
  [[nodiscard]] bool has_intact(const WantedArtifact& wanted);
  // Bytes that an earlier attempt has left; 0 where there are none.
  [[nodiscard]] std::uint64_t partial_size(const std::string& sha256) const;

  // Throws DeploymentFailure (ARTIFACT_CHECKSUM_MISMATCH) naming component and artifact, and
  // removes the bytes. Nothing to do where the blob is verified already.
  void adopt(const WantedArtifact& wanted);

  // Removes every blob and every partial one that is not named.
  void keep_only(const std::set<std::string>& sha256s);

 private:
  Layout layout_;
};

}  // namespace andon::edge
