// SPDX-License-Identifier: Apache-2.0
#include "control/requests/deployment_check.hpp"

#include <algorithm>
#include <optional>

#include "base/error/error.hpp"
#include "control/components/components.hpp"
#include "control/shared/membership.hpp"
#include "recipe/recipe/canonical_recipe.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "recipe/recipe/resolve.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxDocumentBytes = 128U << 10U;
constexpr std::size_t kMaxThingName = 128;

// The highest version in the store that fits, whatever the platform.
std::optional<recipe::Candidate> highest(store::Transaction& tx, const std::string& component,
                                         const recipe::Requirements& requirements) {
  const recipe::VersionRange wanted = recipe::merged_range(requirements);
  std::optional<recipe::Version> best;
  std::string best_text;
  for (const store::Row& row :
       tx.query("SELECT version FROM components WHERE name = $1", {component})) {
    const auto version = recipe::Version::parse(row.text(0));
    if (!version || !wanted.contains(*version)) continue;
    if (best && recipe::is_listed_before(*version, *best)) continue;
    best = version;
    best_text = row.text(0);
  }
  if (!best) return std::nullopt;
  const auto row =
      tx.query_one("SELECT served_recipe FROM components WHERE name = $1 AND version = $2",
                   {component, best_text});
  return recipe::Candidate{recipe::parse_recipe(row->text(0)), {}, {}};
}

void require_target(store::Transaction& tx, const Target& target) {
  if (target.kind == Target::Kind::thing) {
    require_thing(tx, target.name);
  } else {
    require_group(tx, target.name);
  }
}

// A group has deployments of its own, or sub-deployments of one parent: devices keep both apart by
// the group that they are for.
void require_parent(store::Transaction& tx, const DeploymentRequest& request) {
  const Target& target = request.target;
  if (request.parent) {
    if (target.kind != Target::Kind::thing_group) {
      throw Error(ErrorCode::invalid_argument,
                  "parentTargetArn: targetArn must be a thing group, with some of the devices of "
                  "the parent");
    }
    if (*request.parent == target) {
      throw Error(ErrorCode::invalid_argument, "parentTargetArn: is the target itself");
    }
    require_group(tx, request.parent->name);
  }
  const auto other =
      tx.query_one("SELECT behalf FROM deployments WHERE target = $1 AND behalf <> $2 LIMIT 1",
                   {target.key(), request.parent.value_or(target).key()});
  if (!other) return;
  throw Error(
      ErrorCode::invalid_argument,
      "parentTargetArn: " + target.key() + " has had deployments " +
          (other->text(0) == target.key() ? "of its own" : "with the parent " + other->text(0)) +
          "; take another thing group, or delete those first");
}

void check_roots(store::Transaction& tx, const DeploymentRequest& request) {
  std::string problems;
  for (const auto& [name, component] : request.document.components) {
    if (recipe::built_in_components().contains(name)) continue;
    if (highest(tx, name, {{request.target.key(), component.version}})) continue;
    const auto known = tx.query_one("SELECT 1 FROM components WHERE name = $1 LIMIT 1", {name});
    if (!problems.empty()) problems += "; ";
    problems +=
        "components[\"" + name + "\"]" +
        (known ? ".componentVersion: component " + name + " has no version " + component.version
               : ": there is no component " + name) +
        "; create it first with CreateComponentVersion";
  }
  if (!problems.empty()) throw Error(ErrorCode::invalid_argument, problems);
}

void check_deprecated(store::Transaction& tx, const std::vector<ChosenVersion>& chosen,
                      const Arns& arns) {
  for (const ChosenVersion& one : chosen) {
    const auto reason = find_deprecation(tx, arns.component_version(one.component, one.version));
    if (!reason) continue;
    throw Error(ErrorCode::invalid_argument, "components: " + one.component + " " + one.version +
                                                 " is DEPRECATED (" + *reason +
                                                 "); choose another version, or take its tag " +
                                                 std::string(kDeprecatedTag) + " away");
  }
}

// The core devices with a nucleus lite among the target's things, as a FROM that fits a SELECT;
// `$1` is the target's name.
std::string lite_of(const Target& target) {
  const std::string is_lite = "c.runtime = '" + std::string(recipe::kLiteRuntime) + "' ";
  if (target.kind == Target::Kind::thing) {
    return "FROM core_devices c WHERE c.thing = $1 AND " + is_lite;
  }
  return "FROM core_devices c WHERE " + is_lite +
         "AND EXISTS (SELECT 1 FROM thing_group_members m WHERE m.thing = c.thing "
         "AND m.group_name IN (SELECT name FROM subtree)) ";
}

std::string select_lite(const Target& target, const std::string& select, const std::string& rest) {
  return (target.kind == Target::Kind::thing ? "" : subtree_sql()) + "SELECT " + select + " " +
         lite_of(target) + rest;
}

void check_recipes_for_lite(store::Transaction& tx, const Target& target,
                            const std::vector<recipe::ResolvedComponent>& chosen) {
  for (const store::Row& row :
       tx.query(select_lite(target, "c.architecture, MIN(c.thing)", "GROUP BY c.architecture"),
                {target.name})) {
    const recipe::PlatformAttributes device{{"os", "linux"},
                                            {"architecture", row.text(0)},
                                            {"runtime", std::string(recipe::kLiteRuntime)}};
    for (const recipe::ResolvedComponent& one : chosen) {
      const std::string problem = recipe::find_lite_problem(one.candidate.recipe, device);
      if (problem.empty()) continue;
      throw Error(ErrorCode::invalid_argument, "components: the nucleus lite of thing \"" +
                                                   row.text(1) + "\" cannot run " +
                                                   one.candidate.recipe.id() + ": " + problem);
    }
  }
}

}  // namespace

std::vector<ChosenVersion> check_deployment(store::Transaction& tx,
                                            const DeploymentRequest& request, const Arns& arns) {
  require_target(tx, request.target);
  require_parent(tx, request);
  check_roots(tx, request);
  std::vector<recipe::RootComponent> roots;
  for (const auto& [name, component] : request.document.components) {
    roots.push_back({name, component.version, request.target.key()});
  }
  try {
    std::vector<ChosenVersion> chosen;
    const std::vector<recipe::ResolvedComponent> resolved = recipe::resolve_components(
        roots, [&](const std::string& name, const recipe::Requirements& requirements) {
          return highest(tx, name, requirements);
        });
    check_recipes_for_lite(tx, request.target, resolved);
    for (const recipe::ResolvedComponent& component : resolved) {
      chosen.push_back({component.candidate.recipe.component_name,
                        component.candidate.recipe.component_version.to_string()});
    }
    check_deprecated(tx, chosen, arns);
    return chosen;
  } catch (const recipe::ResolutionError& error) {
    throw Error(ErrorCode::invalid_argument, "components: " + error.message());
  }
}

bool is_still_good(store::Transaction& tx, const DeploymentRequest& request,
                   const std::vector<ChosenVersion>& chosen) {
  require_target(tx, request.target);
  require_parent(tx, request);
  return std::all_of(chosen.begin(), chosen.end(), [&](const ChosenVersion& one) {
    return tx
        .query_one("SELECT 1 FROM components WHERE name = $1 AND version = $2",
                   {one.component, one.version})
        .has_value();
  });
}

void check_document_size(store::Transaction& tx, const Target& target, const std::string& job_id,
                         const std::string& document) {
  if (document.size() > kMaxDocumentBytes) {
    throw Error(ErrorCode::invalid_argument,
                "components: the deployment document has " + std::to_string(document.size()) +
                    " bytes, more than the 131072 that devices take; move large values out of "
                    "configurationUpdate, into an artifact");
  }
  // The thing's name stands in it twice.
  const std::size_t fixed = document.size() + job_id.size() + kNotificationOverhead;
  const std::size_t room = fixed < kLitePacketBytes ? kLitePacketBytes - fixed : 0;
  if (room >= 2 * kMaxThingName) return;
  const auto row =
      tx.query_one(select_lite(target, "c.thing", "AND 2 * length(c.thing) > $2 LIMIT 1"),
                   {target.name, static_cast<std::int64_t>(room)});
  if (!row) return;
  throw Error(ErrorCode::invalid_argument,
              "components: the job for thing \"" + row->text(0) + "\" would have " +
                  std::to_string(fixed + 2 * row->text(0).size()) +
                  " bytes; its nucleus lite takes 5000 at most and would wait for it for "
                  "ever; deploy fewer components or less configuration");
}

}  // namespace andon::control
