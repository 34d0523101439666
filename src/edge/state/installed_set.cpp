// SPDX-License-Identifier: Apache-2.0
#include "edge/state/installed_set.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

json::array texts(const std::vector<std::string>& values) {
  return json::array(values.begin(), values.end());
}

void add_limits(json::object& to, const recipe::ResourceLimits& limits) {
  if (!limits.empty()) to["limits"] = to_json(limits);
}

recipe::ResourceLimits read_limits(const base::JsonReader& reader) {
  if (!reader.has("limits")) return {};
  return recipe::parse_resource_limits(reader.child("limits"));
}

json::object component_to_json(const InstalledComponent& component) {
  json::object out{{"name", component.name},
                   {"version", component.version},
                   {"arn", component.arn},
                   {"recipe", component.recipe.text()},
                   {"isRoot", component.is_root},
                   {"runAs", component.run_as},
                   {"hardDependencies", texts(component.hard_dependencies)},
                   {"softDependencies", texts(component.soft_dependencies)},
                   {"wantedBy", texts(component.wanted_by)}};
  add_limits(out, component.limits);
  return out;
}

InstalledComponent read_component(const base::JsonReader& reader) {
  InstalledComponent component;
  component.name = reader.string("name");
  component.version = reader.string("version");
  component.arn = reader.string("arn");
  component.recipe = recipe::ServedRecipe(reader.string("recipe"));
  component.is_root = reader.optional_bool("isRoot").value_or(false);
  component.run_as = reader.optional_string("runAs").value_or("");
  component.limits = read_limits(reader);
  component.hard_dependencies = reader.strings("hardDependencies");
  component.soft_dependencies = reader.strings("softDependencies");
  component.wanted_by = reader.strings("wantedBy");
  return component;
}

TargetDeployment read_target(const base::JsonReader& reader) {
  TargetDeployment target;
  target.deployment_id = reader.string("deploymentId");
  target.configuration_arn = reader.string("configurationArn");
  target.creation_timestamp_ms = reader.integer("creationTimestamp");
  if (const json::object* roots = reader.optional_object("roots")) {
    for (const auto& [name, value] : *roots) {
      const base::JsonReader root(value, reader.where() + ".roots." + std::string(name));
      target.roots[name] = {root.string("version"), root.optional_string("runAs").value_or(""),
                            read_limits(root)};
    }
  }
  return target;
}

}  // namespace

std::string InstalledComponent::identity() const {
  return version + ' ' + run_as + ' ' + trust::sha256_hex(recipe.text());
}

const InstalledComponent* InstalledSet::find(std::string_view name) const {
  const auto found = std::ranges::find(components, name, &InstalledComponent::name);
  return found == components.end() ? nullptr : &*found;
}

json::object to_json(const InstalledSet& set) {
  json::array components;
  for (const InstalledComponent& component : set.components) {
    components.push_back(component_to_json(component));
  }
  json::object targets;
  for (const auto& [name, target] : set.targets) {
    json::object roots;
    for (const auto& [component, root] : target.roots) {
      json::object saved{{"version", root.version}, {"runAs", root.run_as}};
      add_limits(saved, root.limits);
      roots[component] = std::move(saved);
    }
    targets[name] = json::object{{"deploymentId", target.deployment_id},
                                 {"configurationArn", target.configuration_arn},
                                 {"creationTimestamp", target.creation_timestamp_ms},
                                 {"roots", std::move(roots)}};
  }
  return {{"components", std::move(components)}, {"targets", std::move(targets)}};
}

InstalledSet parse_installed_set(const json::value& value) try {
  InstalledSet set;
  const base::JsonReader reader(value, "installed set");
  if (const json::array* components = reader.optional_array("components")) {
    for (const json::value& component : *components) {
      set.components.push_back(read_component({component, "installed set.components[]"}));
    }
  }
  if (const json::object* targets = reader.optional_object("targets")) {
    for (const auto& [name, target] : *targets) {
      set.targets[name] = read_target({target, "installed set.targets." + std::string(name)});
    }
  }
  return set;
} catch (const base::Error& error) {
  throw base::Error(base::ErrorCode::data_corrupted,
                    "the saved set of components cannot be read: " + error.message());
} catch (const std::exception&) {
  throw base::Error(base::ErrorCode::data_corrupted,
                    "the saved set of components cannot be read: a list holds something that is "
                    "not a text");
}

}  // namespace andon::edge
