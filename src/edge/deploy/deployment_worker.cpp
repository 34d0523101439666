// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_worker.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/log/log.hpp"
#include "edge/artifacts/artifact_stager.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/deploy/deployment_planner.hpp"
#include "edge/local/local_recipes.hpp"
#include "edge/process/run_as.hpp"
#include "edge/state/deployment_failure.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kLookAgain{200};

class NetworkWorker final : public DeploymentWorker {
 public:
  NetworkWorker(const DeviceConfig& device, const Layout& layout, const FetchLimits& limits,
                LinkBudget& budget, std::string default_user)
      : device_(device),
        layout_(layout),
        limits_(limits),
        budget_(budget),
        default_user_(std::move(default_user)),
        platform_(own_platform()),
        marks_(layout) {}

  InstalledSet resolve(const ResolveInput& input, const Cancellation& cancellation) override {
    InstalledSet plan = input.local ? resolve_locally(input, cancellation)
                                    : resolve_with_server(input, cancellation);
    const Configurations planned = plan_configurations(input.document, plan, input.configurations);
    give_default_user(plan, planned);
    check_users(plan, input.last_good);
    check_variables(layout_, device_.thing_name, plan, planned, platform_);
    static_cast<void>(wanted_artifacts(plan, platform_));
    return plan;
  }

  FetchedBytes fetch(const InstalledSet& plan, const InstalledSet& last_good,
                     const Cancellation& cancellation) override {
    std::vector<WantedArtifact> wanted;
    for (const InstalledComponent* component : changed(plan, last_good)) {
      for (WantedArtifact& one : staged_version(*component).artifacts) {
        wanted.push_back(std::move(one));
      }
    }
    set_fetching(wanted);
    const FetchedBytes fetched = fetch_alone(wanted, limits_, cancellation);
    set_fetching({});
    base::log_info(
        "artifacts fetched",
        {{"wanted", wanted.size()}, {"fetched", fetched.artifacts}, {"bytes", fetched.bytes}});
    return fetched;
  }

  FetchProgress progress() override {
    const std::lock_guard lock(fetching_mutex_);
    const BlobStore blobs(layout_);
    FetchProgress now;
    now.waits_for = budget_.waits_for(LinkUse::downloads);
    for (const auto& [digest, one] : fetching_) {
      const std::uint64_t here = std::min(blobs.partial_size(digest), one.bytes);
      now.bytes += here;
      now.of_bytes += one.bytes;
      if (now.component.empty() && here < one.bytes) now.component = one.component;
    }
    return now;
  }

  void verify(const InstalledSet& plan, const InstalledSet& last_good,
              const Cancellation& cancellation) override {
    for (const InstalledComponent* component : changed(plan, last_good)) {
      adopt(*component, cancellation);
    }
  }

  std::set<std::string> stage(const InstalledSet& plan, const InstalledSet& last_good,
                              const Cancellation& cancellation) override {
    std::set<std::string> anew;
    for (const InstalledComponent* component : changed(plan, last_good)) {
      cancellation.throw_if_cancelled();
      const std::lock_guard lock(places_);
      const Placement placement =
          stage_component(layout_, marks_, *component, staged_version(*component));
      if (placement.is_new) anew.insert(component->name);
    }
    return anew;
  }

  void clean_up(const InstalledSet& keep) override {
    const std::lock_guard lock(places_);
    collect_garbage(layout_, keep, platform_);
    // Links that went have changed the times of those that stay: the marks are made anew, by
    // reading.
    for (const InstalledComponent& component : keep.components) {
      static_cast<void>(check_component(layout_, marks_, component, staged_version(component)));
    }
  }

  bool is_in_place(const InstalledComponent& component) override {
    return marks_.fit(staged_version(component));
  }

  Placement check(const InstalledComponent& component) override {
    const std::lock_guard lock(places_);
    return check_component(layout_, marks_, component, staged_version(component));
  }

  void fetch_again(const InstalledComponent& component, const Cancellation& cancellation) override {
    FetchLimits impatient = limits_;  // who calls tries again, and a deployment need not wait
    impatient.patience = std::chrono::milliseconds{0};
    fetch_alone(staged_version(component).artifacts, impatient, cancellation);
    adopt(component, cancellation);
  }

 private:
  // Before anything is fetched or stopped: what runs already has shown that its user is there.
  static void check_users(const InstalledSet& plan, const InstalledSet& last_good) {
    for (const InstalledComponent& component : plan.components) {
      const InstalledComponent* const old = last_good.find(component.name);
      if (old != nullptr && old->identity() == component.identity()) continue;
      try {
        static_cast<void>(resolve_run_as(component.run_as));
      } catch (const base::Error& error) {
        throw DeploymentFailure(error.code(),
                                "component " + component.name + ": " + error.message(),
                                {"RUN_WITH_CONFIG_NOT_VALID"}, {"REQUEST_ERROR"});
      }
    }
  }

  InstalledSet resolve_with_server(const ResolveInput& input, const Cancellation& cancellation) {
    DataPlane data_plane(device_, layout_);
    const auto no_progress = [] { return std::uint64_t{0}; };
    const auto patiently = [&](const std::function<void()>& work) {
      retry(cancellation, limits_.patience, no_progress, work);
    };
    PlanInput plan_input{input.document, input.last_good, std::nullopt, device_.thing_name};
    patiently([&] { plan_input.groups = data_plane.thing_groups(); });
    return plan_components(
        plan_input, [&](const std::string& component, const recipe::Requirements& requirements,
                        const std::optional<std::string>& local) {
          std::optional<recipe::Candidate> candidate;
          patiently([&] { candidate = data_plane.resolve(component, requirements, local); });
          return candidate;
        });
  }

  // What lies in the request's directories goes before what the device has, and the server is
  // asked, once, only for what neither has.
  InstalledSet resolve_locally(const ResolveInput& input, const Cancellation& cancellation) {
    const LocalRecipes recipes(layout_, *input.local, platform_);
    PlanInput plan_input{input.document, input.last_good, std::nullopt, device_.thing_name};
    std::erase_if(plan_input.last_good.components,
                  [&](const InstalledComponent& one) { return recipes.has(one.name); });
    const auto installed =
        [&](const std::string& component,
            const recipe::Requirements& requirements) -> std::optional<recipe::Candidate> {
      const InstalledComponent* const found = input.last_good.find(component);
      const auto version = found ? recipe::Version::parse(found->version) : std::nullopt;
      if (!version || !recipe::merged_range(requirements).contains(*version)) return std::nullopt;
      recipe::Candidate candidate;
      candidate.recipe = *found->recipe;
      candidate.recipe_text = found->recipe.text();
      candidate.arn = found->arn;
      return candidate;
    };
    return plan_components(
        plan_input, [&](const std::string& component, const recipe::Requirements& requirements,
                        const std::optional<std::string>& local) {
          cancellation.throw_if_cancelled();
          if (auto found = recipes.find(component, requirements)) return found;
          if (auto found = installed(component, requirements)) return found;
          try {
            return DataPlane(device_, layout_).resolve(component, requirements, local);
          } catch (base::Error& error) {
            error.with_context("component " + component +
                               " is neither in the recipe directory nor on this device, and the "
                               "server was asked");
            throw;
          }
        });
  }

  // What is stored already does not count.
  void set_fetching(const std::vector<WantedArtifact>& wanted) {
    std::map<std::string, Fetching> fetching;
    const BlobStore blobs(layout_);
    for (const WantedArtifact& one : wanted) {
      std::error_code missing;
      const bool is_stored = fs::exists(blobs.path(one.sha256), missing);
      if (is_stored || !one.artifact.size) continue;
      fetching[one.sha256] = {one.component, *one.artifact.size};
    }
    const std::lock_guard lock(fetching_mutex_);
    fetching_ = std::move(fetching);
  }

  [[nodiscard]] StagedVersion staged_version(const InstalledComponent& component) const {
    StagedVersion staged{component.name, component.version, wanted_artifacts(component, platform_)};
    for (WantedArtifact& wanted : staged.artifacts) {
      if (wanted.run_as.empty()) wanted.run_as = default_user_;
    }
    return staged;
  }

  // One at a time: two must not write to the same partial file.
  FetchedBytes fetch_alone(const std::vector<WantedArtifact>& wanted, const FetchLimits& limits,
                           const Cancellation& cancellation) {
    std::unique_lock lock(downloads_, std::defer_lock);
    while (!lock.try_lock_for(kLookAgain)) cancellation.throw_if_cancelled();
    return fetch_artifacts(device_, layout_, wanted, limits, budget_, cancellation);
  }

  void adopt(const InstalledComponent& component, const Cancellation& cancellation) {
    BlobStore blobs(layout_);
    for (const WantedArtifact& wanted : staged_version(component).artifacts) {
      cancellation.throw_if_cancelled();
      const std::lock_guard lock(places_);
      blobs.adopt(wanted);
    }
  }

  std::vector<const InstalledComponent*> changed(const InstalledSet& plan,
                                                 const InstalledSet& last_good) const {
    std::vector<const InstalledComponent*> result;
    for (const InstalledComponent& component : plan.components) {
      const InstalledComponent* old = last_good.find(component.name);
      const bool same = old != nullptr && old->identity() == component.identity();
      if (!same || !marks_.fit(staged_version(component))) result.push_back(&component);
    }
    return result;
  }

  DeviceConfig device_;
  Layout layout_;
  FetchLimits limits_;
  LinkBudget& budget_;
  std::string default_user_;
  recipe::PlatformAttributes platform_;
  StagedMarks marks_;
  struct Fetching {
    std::string component;
    std::uint64_t bytes = 0;
  };
  std::mutex fetching_mutex_;
  std::map<std::string, Fetching> fetching_;  // by digest; guarded by fetching_mutex_
  std::mutex places_;           // guards what is in place, and the blobs it comes from
  std::timed_mutex downloads_;  // guards the partial files
};

}  // namespace

std::unique_ptr<DeploymentWorker> make_deployment_worker(const DeviceConfig& device,
                                                         const Layout& layout,
                                                         const FetchLimits& limits,
                                                         LinkBudget& budget,
                                                         std::string default_user) {
  return std::make_unique<NetworkWorker>(device, layout, limits, budget, std::move(default_user));
}

}  // namespace andon::edge
