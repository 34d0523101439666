// SPDX-License-Identifier: Apache-2.0
// What a device runs, or shall run: the full set of components with the deployments that wanted
// them. Written as JSON into config.db, read back after a restart. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "recipe/deployment/deployment_document.hpp"
#include "recipe/recipe/served_recipe.hpp"

namespace andon::edge {

namespace json = base::json;

struct InstalledComponent {
  std::string name;
  std::string version;
  std::string arn;
  recipe::ServedRecipe recipe;
  bool is_root = false;
  std::string run_as;  // "user:group", "user" or "" for the agent's own user
  recipe::ResourceLimits limits;
  std::vector<std::string> hard_dependencies;
  std::vector<std::string> soft_dependencies;
  std::vector<std::string> wanted_by;  // targets of which it is a root component

  // Two components with one identity need no restart between them; limits change as they run.
  [[nodiscard]] std::string identity() const;
};

// The latest deployment of one target ("thinggroup/G1", "thing/dev1").
struct TargetDeployment {
  std::string deployment_id;
  std::string configuration_arn;
  std::int64_t creation_timestamp_ms = 0;
  struct Root {
    std::string version;  // or a range
    std::string run_as;
    recipe::ResourceLimits limits = {};
  };
  std::map<std::string, Root> roots;
};

struct InstalledSet {
  std::vector<InstalledComponent> components;  // dependencies before those who need them
  std::map<std::string, TargetDeployment> targets;

  [[nodiscard]] const InstalledComponent* find(std::string_view name) const;
};

[[nodiscard]] json::object to_json(const InstalledSet& set);
// Parses the recipes, once. Throws data_corrupted for what to_json did not write.
[[nodiscard]] InstalledSet parse_installed_set(const json::value& value);

}  // namespace andon::edge
