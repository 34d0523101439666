// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_planner.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/builtin/built_in_components.hpp"
#include "edge/builtin/nucleus_settings.hpp"
#include "edge/configuration/component_values.hpp"
#include "fleet/names/arn.hpp"
#include "recipe/deployment/configuration.hpp"
#include "recipe/recipe/interpolate.hpp"

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

// The target that its components are kept for: a sub-deployment takes the place of its parent's.
std::string stands_for(const recipe::DeploymentDocument& document) {
  const std::string& behalf = document.on_behalf_of;
  if (behalf.empty()) return fleet::target_of(document.configuration_arn);
  const auto parent = fleet::parse_target_arn(behalf);
  return parent ? parent->key() : behalf;
}

bool is_of_same_target(const TargetDeployment& last, const recipe::DeploymentDocument& document) {
  return last.configuration_arn.empty() ||
         fleet::target_of(last.configuration_arn) == fleet::target_of(document.configuration_arn);
}

TargetDeployment target_of_document(const recipe::DeploymentDocument& document) {
  TargetDeployment target;
  target.deployment_id = document.deployment_id;
  target.configuration_arn = document.configuration_arn;
  target.creation_timestamp_ms = document.creation_timestamp_ms;
  for (const auto& [name, component] : document.components) {
    if (!component.is_root) continue;
    target.roots[name] = {component.version,
                          component.run_with ? component.run_with->posix_user : ""};
  }
  return target;
}

recipe::Candidate candidate_of(const InstalledComponent& component) {
  recipe::Candidate candidate;
  candidate.recipe = *component.recipe;
  candidate.recipe_text = component.recipe.text();
  candidate.arn = component.arn;
  return candidate;
}

// What the device has is kept where it satisfies everybody; else the server is asked, but for what
// the agent has built in.
recipe::CandidateSource make_source(const InstalledSet& last_good, const AskServer& ask) {
  return [&last_good, &ask](
             const std::string& name,
             const recipe::Requirements& requirements) -> std::optional<recipe::Candidate> {
    const InstalledComponent* local = last_good.find(name);
    const BuiltInComponent* const built_in = find_built_in(name);
    if (local == nullptr) {
      return built_in != nullptr ? built_in_candidate(*built_in, requirements)
                                 : ask(name, requirements, std::nullopt);
    }
    const auto version = recipe::Version::parse(local->version);
    if (version && recipe::merged_range(requirements).contains(*version)) {
      return candidate_of(*local);
    }
    return built_in != nullptr ? built_in_candidate(*built_in, requirements)
                               : ask(name, requirements, local->version);
  };
}

void warn_of_keys_without_effect(const std::string& name, const json::object& configuration) {
  const BuiltInComponent* const built_in = find_built_in(name);
  if (built_in == nullptr) return;
  std::string keys;
  for (const std::string& key : keys_without_effect(*built_in, configuration)) {
    keys += (keys.empty() ? "" : ", ") + key;
  }
  if (keys.empty()) return;
  base::log_warning("kept, but this agent does not act on it",
                    {{"component", name}, {"configuration", keys}});
}

void warn_of_what_is_ignored(const recipe::Recipe& recipe) {
  for (const recipe::Problem& one : recipe.ignored) {
    base::log_warning("a recipe holds what means nothing here",
                      {{"component", recipe.id()}, {"place", one.place}, {"why", one.message}});
  }
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
  component.recipe = recipe::ServedRecipe(resolved.candidate.recipe_text, recipe);
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
  const auto lacking = std::ranges::find_if(
      document.required_capabilities,
      [](const std::string& capability) { return capability != recipe::kSubDeployments; });
  if (lacking != document.required_capabilities.end()) {
    return rejection("the deployment needs the capability " + *lacking + ", which this agent lacks",
                     "NUCLEUS_MISSING_REQUIRED_CAPABILITIES", "REQUEST_ERROR");
  }
  const auto last = last_good.targets.find(stands_for(document));
  // A parent's deployment may come back after a sub-deployment that is newer.
  if (last != last_good.targets.end() && is_of_same_target(last->second, document) &&
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
  plan.targets[stands_for(input.document)] = target_of_document(input.document);

  std::vector<recipe::RootComponent> roots;
  for (const auto& [target, deployment] : plan.targets) {
    for (const auto& [name, root] : deployment.roots) roots.push_back({name, root.version, target});
  }
  for (const recipe::ResolvedComponent& resolved :
       recipe::resolve_components(roots, make_source(input.last_good, ask), {})) {
    check_recipe(resolved.candidate.recipe);
    warn_of_what_is_ignored(resolved.candidate.recipe);
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
          component.recipe->default_configuration,
          change == document.components.end() ? recipe::ConfigurationUpdate{}
                                              : change->second.configuration_update);
      if (change != document.components.end()) {
        warn_of_keys_without_effect(component.name, planned[component.name]);
      }
    } catch (const base::Error& error) {
      throw configuration_failure(component.name, error, "COMPONENT_CONFIGURATION_NOT_VALID");
    }
  }
  return planned;
}

void give_default_user(InstalledSet& plan, const Configurations& configurations) {
  const auto nucleus = configurations.find(std::string(kNucleus));
  if (nucleus == configurations.end()) return;
  const std::string user = default_user_of(nucleus->second);
  for (InstalledComponent& component : plan.components) {
    if (component.run_as.empty()) component.run_as = user;
  }
}

void check_variables(const Layout& layout, const std::string& thing_name, const InstalledSet& plan,
                     const Configurations& configurations, const recipe::PlatformAttributes& own) {
  for (const InstalledComponent& component : plan.components) {
    const recipe::Recipe& recipe = *component.recipe;
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
