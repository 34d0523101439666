// SPDX-License-Identifier: Apache-2.0
#include "edge/deployment_planner.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "edge/component_values.hpp"
#include "recipe/configuration.hpp"
#include "recipe/interpolate.hpp"
#include "recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;

constexpr std::string_view kGroupPrefix = "thinggroup/";

// A deployment of a group that the device has left does not count any more.
bool still_counts(const std::string& target, const PlanInput& input) {
  if (!target.starts_with(kGroupPrefix)) return true;
  if (!input.groups) return true;
  return std::ranges::find(*input.groups, target.substr(kGroupPrefix.size())) !=
         input.groups->end();
}

TargetDeployment target_of_document(const recipe::DeploymentDocument& document) {
  TargetDeployment target;
  target.deployment_id = document.deployment_id;
  target.configuration_arn = document.configuration_arn;
  target.creation_timestamp_ms = document.creation_timestamp_ms;
  for (const auto& [name, component] : document.components) {
    target.roots[name] = {component.version,
                          component.run_with ? component.run_with->posix_user : ""};
  }
  return target;
}

recipe::Candidate candidate_of(const InstalledComponent& component) {
  recipe::Candidate candidate;
  candidate.recipe = recipe::parse_recipe(component.recipe);
  candidate.recipe_text = component.recipe;
  candidate.arn = component.arn;
  return candidate;
}

// What the device has is kept where it satisfies everybody; else the server is asked.
recipe::CandidateSource make_source(const InstalledSet& last_good, const AskServer& ask) {
  return [&last_good, &ask](
             const std::string& name,
             const recipe::Requirements& requirements) -> std::optional<recipe::Candidate> {
    const InstalledComponent* local = last_good.find(name);
    if (local == nullptr) return ask(name, requirements, std::nullopt);
    const auto version = recipe::Version::parse(local->version);
    if (version && recipe::merged_range(requirements).contains(*version)) {
      return candidate_of(*local);
    }
    return ask(name, requirements, local->version);
  };
}

void check_recipe(const recipe::Recipe& recipe) {
  // It becomes a directory.
  if (recipe.component_name == "." || recipe.component_name == "..") {
    throw DeploymentFailure(ErrorCode::invalid_argument,
                            "a component cannot be named '" + recipe.component_name + "'",
                            {"RECIPE_PARSE_ERROR"}, {"COMPONENT_RECIPE_ERROR"});
  }
  if (recipe.component_type == "aws.greengrass.generic" || recipe.component_type.empty()) return;
  throw DeploymentFailure(ErrorCode::unsupported,
                          "component " + recipe.id() + " is of the type " + recipe.component_type +
                              "; this agent runs aws.greengrass.generic only",
                          {"CUSTOM_PLUGIN_NOT_SUPPORTED"}, {"COMPONENT_RECIPE_ERROR"});
}

InstalledComponent to_installed(const recipe::ResolvedComponent& resolved,
                                const std::map<std::string, TargetDeployment>& targets) {
  const recipe::Recipe& recipe = resolved.candidate.recipe;
  InstalledComponent component;
  component.name = recipe.component_name;
  component.version = recipe.component_version.to_string();
  component.arn = resolved.candidate.arn;
  component.recipe = resolved.candidate.recipe_text;
  component.is_root = resolved.is_root;
  for (const recipe::Dependency& dependency : recipe.dependencies) {
    const bool is_part = std::ranges::find(resolved.dependencies, dependency.component) !=
                         resolved.dependencies.end();
    if (!is_part) continue;
    auto& names = dependency.type == recipe::DependencyType::hard ? component.hard_dependencies
                                                                  : component.soft_dependencies;
    names.push_back(dependency.component);
  }
  for (const auto& [target, deployment] : targets) {
    const auto root = deployment.roots.find(component.name);
    if (root == deployment.roots.end()) continue;
    component.wanted_by.push_back(target);
    if (component.run_as.empty()) component.run_as = root->second.run_as;
  }
  return component;
}

DeploymentFailure configuration_failure(const std::string& component, const base::Error& error,
                                        std::string code) {
  return {error.code(),
          "the configuration of component " + component + " cannot be used: " + error.message(),
          {std::move(code)},
          {"REQUEST_ERROR"}};
}

}  // namespace

std::optional<FailureReport> find_rejection(const recipe::DeploymentDocument& document,
                                            const InstalledSet& last_good) {
  if (!document.required_capabilities.empty()) {
    return rejection("the deployment needs the capability " +
                         document.required_capabilities.front() + ", which this agent lacks",
                     "NUCLEUS_MISSING_REQUIRED_CAPABILITIES", "REQUEST_ERROR");
  }
  const auto last = last_good.targets.find(recipe::target_of(document.configuration_arn));
  if (last != last_good.targets.end() &&
      document.creation_timestamp_ms < last->second.creation_timestamp_ms) {
    return rejection("a newer deployment of " + last->first + " (" + last->second.deployment_id +
                         ") is already on this device",
                     "REJECTED_STALE_DEPLOYMENT", "REQUEST_ERROR");
  }
  return std::nullopt;
}

InstalledSet plan_components(const PlanInput& input, const AskServer& ask) {
  InstalledSet plan;
  for (const auto& [target, deployment] : input.last_good.targets) {
    if (still_counts(target, input)) plan.targets[target] = deployment;
  }
  plan.targets[recipe::target_of(input.document.configuration_arn)] =
      target_of_document(input.document);

  std::vector<recipe::RootComponent> roots;
  for (const auto& [target, deployment] : plan.targets) {
    for (const auto& [name, root] : deployment.roots) roots.push_back({name, root.version, target});
  }
  for (const recipe::ResolvedComponent& resolved :
       recipe::resolve_components(roots, make_source(input.last_good, ask))) {
    check_recipe(resolved.candidate.recipe);
    plan.components.push_back(to_installed(resolved, plan.targets));
  }
  return plan;
}

Configurations plan_configurations(const recipe::DeploymentDocument& document,
                                   const InstalledSet& plan, const Configurations& current) {
  Configurations planned;
  for (const InstalledComponent& component : plan.components) {
    try {
      const auto now = current.find(component.name);
      const auto change = document.components.find(component.name);
      planned[component.name] = recipe::update_configuration(
          now == current.end() ? json::object{} : now->second,
          recipe::parse_recipe(component.recipe).default_configuration,
          change == document.components.end() ? recipe::ConfigurationUpdate{}
                                              : change->second.configuration_update);
    } catch (const base::Error& error) {
      throw configuration_failure(component.name, error, "COMPONENT_CONFIGURATION_NOT_VALID");
    }
  }
  return planned;
}

void check_variables(const Layout& layout, const std::string& thing_name, const InstalledSet& plan,
                     const Configurations& configurations, const recipe::PlatformAttributes& own) {
  for (const InstalledComponent& component : plan.components) {
    const recipe::Recipe recipe = recipe::parse_recipe(component.recipe);
    const recipe::Manifest* manifest = recipe::select_manifest(recipe, own);
    if (manifest == nullptr) continue;  // wanted_artifacts() says so with its own code
    try {
      static_cast<void>(recipe::interpolate(
          recipe::select_lifecycle(recipe, *manifest),
          interpolation_context(layout, thing_name, plan, component, configurations), recipe.id()));
    } catch (const base::Error& error) {
      throw configuration_failure(component.name, error, "CONFIG_INTERPOLATE_ERROR");
    }
  }
}

}  // namespace andon::edge
