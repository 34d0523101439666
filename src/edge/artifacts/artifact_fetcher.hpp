// SPDX-License-Identifier: Apache-2.0
// Brings the artifacts that a device lacks into its blob store's partial files: in parallel,
// resumed where an earlier attempt stopped, tried again while the network may come back. Called on
// a deployment's background thread. Nothing that it brings is verified yet: BlobStore::adopt()
// does.
#pragma once

#include <cstdint>
#include <vector>

#include "edge/artifacts/blob_store.hpp"
#include "edge/artifacts/wanted_artifact.hpp"
#include "edge/budget/link_budget.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/state/device_config.hpp"

namespace andon::edge {

struct FetchLimits {
  std::size_t parallel = 4;
  std::uint64_t disk_reserve_bytes = 16U << 20U;  // never touched
  std::chrono::milliseconds patience{600'000};    // without one byte more
};

struct FetchedBytes {
  std::size_t artifacts = 0;
  std::uint64_t bytes = 0;
};

// As the budget lets it: a window that is closed and a volume that is used up are waited for, and
// do not count as patience. Throws DeploymentFailure naming component and artifact;
// DISK_SPACE_CRITICAL before the first byte where the disk is too small for all of them.
FetchedBytes fetch_artifacts(const DeviceConfig& config, const Layout& layout,
                             const std::vector<WantedArtifact>& wanted, const FetchLimits& limits,
                             LinkBudget& budget, const Cancellation& cancellation);

}  // namespace andon::edge
