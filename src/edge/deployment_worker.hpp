// SPDX-License-Identifier: Apache-2.0
// The blocking work of a deployment's first four states. Called on a background thread with copies
// of what it needs; changes only files below packages/. Each piece can be done again after a crash.
// Behind an interface, so that the engine is tested without network and disk.
#pragma once

#include <memory>

#include "edge/artifact_fetcher.hpp"
#include "edge/cancellation.hpp"
#include "edge/configuration_store.hpp"
#include "edge/device_config.hpp"
#include "edge/installed_set.hpp"
#include "edge/layout.hpp"
#include "recipe/deployment_document.hpp"

namespace andon::edge {

struct ResolveInput {
  recipe::DeploymentDocument document;
  InstalledSet last_good;
  Configurations configurations;
};

class DeploymentWorker {
 public:
  DeploymentWorker() = default;
  DeploymentWorker(const DeploymentWorker&) = delete;
  DeploymentWorker& operator=(const DeploymentWorker&) = delete;
  virtual ~DeploymentWorker() = default;

  // All throw what report_of() understands, and base::Error(cancelled).
  virtual InstalledSet resolve(const ResolveInput& input, const Cancellation& cancellation) = 0;
  // Only components of `plan` that differ from `last_good`, or that lost their place, are worked
  // on.
  virtual FetchedBytes fetch(const InstalledSet& plan, const InstalledSet& last_good,
                             const Cancellation& cancellation) = 0;
  virtual void verify(const InstalledSet& plan, const InstalledSet& last_good,
                      const Cancellation& cancellation) = 0;
  virtual void stage(const InstalledSet& plan, const InstalledSet& last_good,
                     const Cancellation& cancellation) = 0;
  // Removes what `keep` does not need.
  virtual void clean_up(const InstalledSet& keep) = 0;
};

[[nodiscard]] std::unique_ptr<DeploymentWorker> make_deployment_worker(const DeviceConfig& device,
                                                                       const Layout& layout,
                                                                       const FetchLimits& limits);

}  // namespace andon::edge
