// SPDX-License-Identifier: Apache-2.0
// The blocking work of a deployment's first four states, and of looking after what they have put in
// place. Called on a background thread with copies
// of what it needs, but for is_in_place(); changes only files below packages/. Each piece can be
// done again after a crash. Behind an interface, so that the engine is tested without network and
// disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "edge/artifacts/artifact_fetcher.hpp"
#include "edge/artifacts/artifact_stager.hpp"
#include "edge/configuration/configuration_store.hpp"
#include "edge/images/image_store.hpp"
#include "edge/local/local_request.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/run/component_host.hpp"
#include "edge/state/device_config.hpp"
#include "edge/state/installed_set.hpp"
#include "edge/state/layout.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

struct ResolveInput {
  recipe::DeploymentDocument document;
  InstalledSet last_good;
  Configurations configurations;
  std::optional<LocalRequest> local;  // of a local deployment
};

// How far fetch() is.
struct FetchProgress {
  std::string component;  // whose artifact is arriving
  std::uint64_t bytes = 0;
  std::uint64_t of_bytes = 0;
  std::string waits_for;  // the link's budget, or an image; empty where it does not wait
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
  // Any thread; nothing while nothing is fetched.
  [[nodiscard]] virtual FetchProgress progress() { return {}; }
  virtual void verify(const InstalledSet& plan, const InstalledSet& last_good,
                      const Cancellation& cancellation) = 0;
  // Gives the components that are staged anew as a whole: what was installed of them is gone.
  virtual std::set<std::string> stage(const InstalledSet& plan, const InstalledSet& last_good,
                                      const Cancellation& cancellation) = 0;
  // Removes what `keep` does not need.
  virtual void clean_up(const InstalledSet& keep) = 0;

  // Are its artifacts in place, untouched since they were verified? Any thread; does not wait.
  virtual bool is_in_place(const InstalledComponent& component) = 0;
  // Reads them, and puts back from the blob store what is not as it was verified.
  virtual Placement check(const InstalledComponent& component) = 0;
  // Brings the verified bytes that check() has missed into the blob store.
  virtual void fetch_again(const InstalledComponent& component,
                           const Cancellation& cancellation) = 0;
};

[[nodiscard]] std::unique_ptr<DeploymentWorker> make_deployment_worker(
    const DeviceConfig& device, const Layout& layout, const FetchLimits& limits,
    const ImageSettings& images, LinkBudget& budget, ComponentDefaults defaults);

}  // namespace andon::edge
