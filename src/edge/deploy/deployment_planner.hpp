// SPDX-License-Identifier: Apache-2.0
// From a deployment document and what the device runs to the set that it shall run, with every
// component's configuration. Pure but for the callback that asks the server; any thread. What
// cannot work (no version, a variable without a value, a bad pointer) is found here, before
// anything on the device has changed.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "edge/configuration/configuration_store.hpp"
#include "edge/run/sandbox_policy.hpp"
#include "edge/state/deployment_failure.hpp"
#include "edge/state/installed_set.hpp"
#include "edge/state/layout.hpp"
#include "recipe/deployment/deployment_document.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/recipe/resolve.hpp"

namespace andon::edge {

// Asks the server; `local_version` is what the device has.
using AskServer = std::function<std::optional<recipe::Candidate>(
    const std::string& component, const recipe::Requirements& requirements,
    const std::optional<std::string>& local_version)>;

struct PlanInput {
  recipe::DeploymentDocument document;
  InstalledSet last_good;
  // Names of this device's groups; nothing where the server does not tell: then none has ended.
  std::optional<std::vector<std::string>> groups;
  std::string thing_name;
};

// Why the device refuses the document before it starts; nothing where it does not.
[[nodiscard]] std::optional<FailureReport> find_rejection(
    const recipe::DeploymentDocument& document, const InstalledSet& last_good);

// Throws ResolutionError, DeploymentFailure and whatever `ask` throws.
[[nodiscard]] InstalledSet plan_components(const PlanInput& input, const AskServer& ask);

// The configuration of every component of `plan`. Throws DeploymentFailure
// (COMPONENT_CONFIGURATION_NOT_VALID) naming the component.
[[nodiscard]] Configurations plan_configurations(const recipe::DeploymentDocument& document,
                                                 const InstalledSet& plan,
                                                 const Configurations& current);

// The user and the limits that the nucleus' configuration names (runWithDefault), for those of whom
// no deployment says anything. Throws DeploymentFailure (COMPONENT_CONFIGURATION_NOT_VALID).
void give_run_with_default(InstalledSet& plan, const Configurations& configurations);

// Throws DeploymentFailure (COMPONENT_CONFIGURATION_NOT_VALID) for a policy that cannot be read,
// and (SANDBOX_NOT_SUPPORTED) naming the component where one shall be in a sandbox and `problem`
// says why none can be made here.
void check_sandboxes(const InstalledSet& plan, const Configurations& configurations,
                     const SandboxRules& device, const std::string& problem);

// Throws DeploymentFailure (CONFIG_INTERPOLATE_ERROR) for a variable in a script that has no value.
void check_variables(const Layout& layout, const std::string& thing_name, const InstalledSet& plan,
                     const Configurations& configurations, const recipe::PlatformAttributes& own);

}  // namespace andon::edge
