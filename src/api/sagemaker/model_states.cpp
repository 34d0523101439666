// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/model_states.hpp"

#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using control::ModelAliases;
using control::ModelRegistry;

constexpr PageLimits kPage{.standard = 100, .maximum = 200};

struct Models {
  const ModelRegistry& registry;
  const ModelAliases& aliases;
};

json::object describe(const Models& models, const control::ModelPackageGroup& group) {
  json::object told{{"modelName", group.name}, {"created", base::to_iso8601(group.created)}};
  put_unless_empty(told, "description", group.description);
  control::RegistryFilter of_group;
  of_group.group = group.name;
  of_group.order = control::SortOrder::descending;
  const auto newest = models.registry.list_packages(of_group, {.limit = 1, .after = {}});
  if (!newest.items.empty()) {
    const control::ModelPackage& package = newest.items.front();
    told["latest"] = json::object{{"version", package.id.version},
                                  {"approval", control::to_string(package.approval)},
                                  {"created", base::to_iso8601(package.created)}};
  }
  json::array aliases;
  for (const control::ModelAlias& alias : models.aliases.list(group.name)) {
    aliases.push_back({{"alias", alias.name}, {"version", alias.version}});
  }
  told["aliases"] = std::move(aliases);
  return told;
}

json::value list(const Models& models, const OperationContext& context) {
  control::RegistryFilter by_name;
  by_name.sort = control::RegistrySort::by_name;
  const auto page = models.registry.list_groups(by_name, read_page(context.input, kPage));
  json::array all;
  for (const control::ModelPackageGroup& group : page.items) all.push_back(describe(models, group));
  json::object output{{"models", std::move(all)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> model_state_operations(const ModelRegistry& registry,
                                              const ModelAliases& aliases) {
  return {
      own_row("ListModelStates", "GET", "/andon/v1/model-states", Models{registry, aliases}, list)};
}

}  // namespace andon::api
