// SPDX-License-Identifier: Apache-2.0
#include "edge/deployment_worker.hpp"

#include <malloc.h>

#include "base/log.hpp"
#include "edge/artifact_stager.hpp"
#include "edge/data_plane.hpp"
#include "edge/deployment_failure.hpp"
#include "edge/deployment_planner.hpp"

namespace andon::edge {
namespace {

class NetworkWorker final : public DeploymentWorker {
 public:
  NetworkWorker(const DeviceConfig& device, const Layout& layout, const FetchLimits& limits)
      : device_(device), layout_(layout), limits_(limits), platform_(own_platform()) {}

  InstalledSet resolve(const ResolveInput& input, const Cancellation& cancellation) override {
    DataPlane data_plane(device_, layout_);
    const auto no_progress = [] { return std::uint64_t{0}; };
    const auto patiently = [&](const std::function<void()>& work) {
      retry(cancellation, limits_.patience, no_progress, work);
    };
    PlanInput plan_input{input.document, input.last_good, std::nullopt, device_.thing_name};
    patiently([&] { plan_input.groups = data_plane.thing_groups(); });
    const InstalledSet plan = plan_components(
        plan_input, [&](const std::string& component, const recipe::Requirements& requirements,
                        const std::optional<std::string>& local) {
          std::optional<recipe::Candidate> candidate;
          patiently([&] { candidate = data_plane.resolve(component, requirements, local); });
          return candidate;
        });
    const Configurations planned = plan_configurations(input.document, plan, input.configurations);
    check_variables(layout_, device_.thing_name, plan, planned, platform_);
    static_cast<void>(wanted_artifacts(plan, platform_));
    return plan;
  }

  FetchedBytes fetch(const InstalledSet& plan, const InstalledSet& last_good,
                     const Cancellation& cancellation) override {
    std::vector<WantedArtifact> wanted;
    for (const InstalledComponent* component : changed(plan, last_good)) {
      for (WantedArtifact& one : wanted_artifacts(*component, platform_)) {
        wanted.push_back(std::move(one));
      }
    }
    const FetchedBytes fetched = fetch_artifacts(device_, layout_, wanted, limits_, cancellation);
    base::log_info(
        "artifacts fetched",
        {{"wanted", wanted.size()}, {"fetched", fetched.artifacts}, {"bytes", fetched.bytes}});
    return fetched;
  }

  void verify(const InstalledSet& plan, const InstalledSet& last_good,
              const Cancellation& cancellation) override {
    BlobStore blobs(layout_);
    for (const InstalledComponent* component : changed(plan, last_good)) {
      for (const WantedArtifact& wanted : wanted_artifacts(*component, platform_)) {
        cancellation.throw_if_cancelled();
        blobs.adopt(wanted);
      }
    }
  }

  void stage(const InstalledSet& plan, const InstalledSet& last_good,
             const Cancellation& cancellation) override {
    for (const InstalledComponent* component : changed(plan, last_good)) {
      cancellation.throw_if_cancelled();
      stage_component(layout_, *component, wanted_artifacts(*component, platform_));
    }
  }

  void clean_up(const InstalledSet& keep) override {
    collect_garbage(layout_, keep, platform_);
    malloc_trim(0);  // the agent is idle from here on
  }

 private:
  std::vector<const InstalledComponent*> changed(const InstalledSet& plan,
                                                 const InstalledSet& last_good) const {
    std::vector<const InstalledComponent*> result;
    for (const InstalledComponent& component : plan.components) {
      const InstalledComponent* old = last_good.find(component.name);
      const bool same = old != nullptr && old->identity() == component.identity();
      const bool in_place = fs::exists(layout_.artifacts_of(component.name, component.version)) &&
                            fs::exists(layout_.staged() / component.name / component.version);
      if (!same || !in_place) result.push_back(&component);
    }
    return result;
  }

  DeviceConfig device_;
  Layout layout_;
  FetchLimits limits_;
  recipe::PlatformAttributes platform_;
};

}  // namespace

std::unique_ptr<DeploymentWorker> make_deployment_worker(const DeviceConfig& device,
                                                         const Layout& layout,
                                                         const FetchLimits& limits) {
  return std::make_unique<NetworkWorker>(device, layout, limits);
}

}  // namespace andon::edge
