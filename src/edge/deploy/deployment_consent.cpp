// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_consent.hpp"

#include <set>
#include <utility>
#include <vector>

#include "edge/deploy/deployment_planner.hpp"
#include "edge/state/deployment_failure.hpp"

namespace andon::edge {
namespace {

DeploymentFailure refused(const UpdateOperations::Refusal& refusal) {
  return {base::ErrorCode::failed_precondition,
          "component " + refusal.component +
              " does not accept its new configuration: " + refusal.reason,
          {"COMPONENT_UPDATE_ERROR", "COMPONENT_CONFIGURATION_NOT_VALID"},
          {"USER_COMPONENT_ERROR"}};
}

}  // namespace

std::map<std::string, json::object> DeploymentConsent::changes(
    const recipe::DeploymentDocument& document, const InstalledSet& plan) const {
  const Configurations planned = plan_configurations(document, plan, parts_.configurations.all());
  std::vector<ComponentSpec> running;
  for (const Component* component : parts_.supervisor.components()) {
    if (component->is_up()) running.push_back(component->spec());
  }
  const std::set<std::string> restart =
      components_to_stop(running, parts_.host.specs(plan, planned), {});
  std::map<std::string, json::object> changed;
  for (const ComponentSpec& spec : running) {
    const auto configuration = planned.find(spec.name);
    if (restart.contains(spec.name) || configuration == planned.end()) continue;
    json::object seen = parts_.host.resolve(spec.name, configuration->second, plan, planned);
    const json::object* now = parts_.configurations.resolved(spec.name);
    if (now == nullptr || *now != seen) changed.emplace(spec.name, std::move(seen));
  }
  return changed;
}

void DeploymentConsent::ask(const recipe::DeploymentDocument& document, const InstalledSet& plan,
                            std::function<void(std::exception_ptr)> done) {
  done_ = std::move(done);
  const auto restart = parts_.host.has_bootstrap_ahead(plan)
                           ? UpdateOperations::Restart::agent
                           : UpdateOperations::Restart::components;
  try {
    parts_.updates.validate(
        document.deployment_id, changes(document, plan), document.validation_timeout,
        [this, document, restart](const std::optional<UpdateOperations::Refusal>& refusal) {
          if (!refusal) return announce(document, restart);
          finish(std::make_exception_ptr(refused(*refusal)));
        });
  } catch (const base::Error&) {
    finish(std::current_exception());
  }
}

void DeploymentConsent::announce(const recipe::DeploymentDocument& document,
                                 UpdateOperations::Restart restart) {
  if (document.update_action == recipe::UpdateAction::skip_notify_components) {
    return finish(nullptr);
  }
  told_ = document.deployment_id;
  parts_.updates.announce(document.deployment_id, restart, document.update_timeout,
                          [this] { finish(nullptr); });
}

void DeploymentConsent::finish(std::exception_ptr error) {
  const auto done = std::exchange(done_, {});
  if (done) done(std::move(error));
}

void DeploymentConsent::give_up() {
  done_ = {};
  parts_.updates.give_up();
}

void DeploymentConsent::ended() {
  give_up();
  if (!told_.empty()) parts_.updates.tell_updated(std::exchange(told_, {}));
}

}  // namespace andon::edge
