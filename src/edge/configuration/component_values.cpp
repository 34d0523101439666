// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration/component_values.hpp"

namespace andon::edge {
namespace {

recipe::ComponentValues values_of(const Layout& layout, const InstalledComponent& component,
                                  const Configurations& configurations) {
  recipe::ComponentValues values;
  const auto found = configurations.find(component.name);
  if (found != configurations.end()) values.configuration = found->second;
  values.artifacts_path = layout.artifacts_of(component.name, component.version).string();
  values.decompressed_artifacts_path =
      layout.unarchived_of(component.name, component.version).string();
  values.work_path = layout.work_of(component.name).string();
  return values;
}

}  // namespace

recipe::InterpolationContext interpolation_context(const Layout& layout,
                                                   const std::string& thing_name,
                                                   const InstalledSet& set,
                                                   const InstalledComponent& component,
                                                   const Configurations& configurations) {
  recipe::InterpolationContext context;
  context.self = values_of(layout, component, configurations);
  context.root_path = layout.root().string();
  context.thing_name = thing_name;
  for (const auto* names : {&component.hard_dependencies, &component.soft_dependencies}) {
    for (const std::string& name : *names) {
      const InstalledComponent* dependency = set.find(name);
      if (dependency == nullptr) continue;
      context.dependencies.emplace(name, values_of(layout, *dependency, configurations));
    }
  }
  return context;
}

}  // namespace andon::edge
