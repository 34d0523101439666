// SPDX-License-Identifier: Apache-2.0
#include "control/deployment_check.hpp"

#include <optional>

#include "base/error.hpp"
#include "control/membership.hpp"
#include "recipe/recipe_parser.hpp"
#include "recipe/resolve.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxDocumentBytes = 128U << 10U;
constexpr std::size_t kLitePacketBytes = 5000;
constexpr std::string_view kLiteRuntime = "aws_nucleus_lite";
// What surrounds the document in a notify-next message: MQTT's header, the topic's fixed part, and
// the execution's other members with all numbers at their longest.
constexpr std::size_t kNotificationOverhead = 420;

// The highest version in the store that fits, whatever the platform.
std::optional<recipe::Candidate> highest(store::Transaction& tx, const std::string& component,
                                         const recipe::Requirements& requirements) {
  const recipe::VersionRange wanted = recipe::merged_range(requirements);
  std::optional<recipe::Version> best;
  std::string best_recipe;
  for (const store::Row& row :
       tx.query("SELECT version, served_recipe FROM components WHERE name = $1", {component})) {
    const auto version = recipe::Version::parse(row.text(0));
    if (!version || !wanted.contains(*version) || (best && *version < *best)) continue;
    best = version;
    best_recipe = row.text(1);
  }
  if (!best) return std::nullopt;
  return recipe::Candidate{recipe::parse_recipe(best_recipe), {}, {}};
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

}  // namespace

void check_deployment(store::Transaction& tx, const DeploymentRequest& request) {
  if (request.target.kind == Target::Kind::thing) {
    require_thing(tx, request.target.name);
  } else {
    require_group(tx, request.target.name);
  }
  check_roots(tx, request);
  std::vector<recipe::RootComponent> roots;
  for (const auto& [name, component] : request.document.components) {
    roots.push_back({name, component.version, request.target.key()});
  }
  try {
    (void)recipe::resolve_components(
        roots, [&](const std::string& component, const recipe::Requirements& requirements) {
          return highest(tx, component, requirements);
        });
  } catch (const recipe::ResolutionError& error) {
    throw Error(ErrorCode::invalid_argument, "components: " + error.message());
  }
}

void check_document_size(store::Transaction& tx, const std::vector<std::string>& things,
                         const std::string& job_id, const std::string& document) {
  if (document.size() > kMaxDocumentBytes) {
    throw Error(ErrorCode::invalid_argument,
                "components: the deployment document has " + std::to_string(document.size()) +
                    " bytes, more than the 131072 that devices take; move large values out of "
                    "configurationUpdate, into an artifact");
  }
  for (const std::string& thing : things) {
    const std::size_t packet =
        document.size() + job_id.size() + 2 * thing.size() + kNotificationOverhead;
    if (packet <= kLitePacketBytes) continue;
    const auto row = tx.query_one("SELECT runtime FROM core_devices WHERE thing = $1", {thing});
    if (row && row->text(0) == kLiteRuntime) {
      throw Error(ErrorCode::invalid_argument,
                  "components: the job for thing \"" + thing + "\" would have " +
                      std::to_string(packet) +
                      " bytes; its nucleus lite takes 5000 at most and would wait for it for "
                      "ever; deploy fewer components or less configuration");
    }
  }
}

}  // namespace andon::control
