// SPDX-License-Identifier: Apache-2.0
#include "control/components/components.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "control/components/artifact_pinning.hpp"
#include "control/shared/request_tokens.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/reason.hpp"
#include "recipe/recipe/canonical_recipe.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "recipe/recipe/resolve.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kSummaryColumns =
    "name, version, created_ms, description, publisher, platforms";

ComponentSummary read_summary(const store::Row& row, const Arns& arns) {
  ComponentSummary summary;
  summary.name = row.text(0);
  summary.version = row.text(1);
  summary.arn = arns.component_version(summary.name, summary.version);
  summary.created = stored_time(row.integer(2));
  summary.description = row.text(3);
  summary.publisher = row.text(4);
  summary.platforms = stored_maps(row.text(5));
  return summary;
}

recipe::Version version_of(const std::string& text) {
  const auto version = recipe::Version::parse(text);
  if (!version) throw Error(ErrorCode::data_corrupted, "a stored version is not one: " + text);
  return *version;
}

// Highest first.
std::vector<ComponentSummary> versions_of(store::Transaction& tx, const std::string& name,
                                          const Arns& arns) {
  std::vector<std::pair<recipe::Version, ComponentSummary>> found;
  const std::string sql =
      "SELECT " + std::string(kSummaryColumns) + " FROM components WHERE name = $1";
  for (const store::Row& row : tx.query(sql, {name})) {
    ComponentSummary summary = read_summary(row, arns);
    found.emplace_back(version_of(summary.version), std::move(summary));
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return recipe::is_listed_before(right.first, left.first);
  });
  std::vector<ComponentSummary> versions;
  for (auto& [version, summary] : found) versions.push_back(std::move(summary));
  return versions;
}

std::optional<ComponentVersion> read_version(store::Transaction& tx, const std::string& name,
                                             const std::string& version, const Arns& arns) {
  const std::string sql = "SELECT " + std::string(kSummaryColumns) +
                          ", recipe, served_recipe FROM components "
                          "WHERE name = $1 AND version = $2";
  const auto row = tx.query_one(sql, {name, version});
  if (!row) return std::nullopt;
  return ComponentVersion{read_summary(*row, arns), row->text(6), row->text(7)};
}

void insert(store::Transaction& tx, const recipe::Recipe& recipe, const ComponentVersion& made,
            const std::vector<PinnedArtifact>& artifacts) {
  const ComponentSummary& summary = made.summary;
  tx.execute(
      "INSERT INTO components (name, version, recipe, served_recipe, description, publisher, "
      "platforms, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {summary.name, summary.version, made.recipe, made.served_recipe, summary.description,
       summary.publisher, to_stored(summary.platforms), to_stored(summary.created)});
  for (const recipe::Dependency& dependency : recipe.dependencies) {
    tx.execute("INSERT INTO component_dependencies (name, version, dependency) VALUES ($1, $2, $3)",
               {summary.name, summary.version, dependency.component});
  }
  for (const PinnedArtifact& artifact : artifacts) {
    tx.execute(
        "INSERT INTO component_artifacts (name, version, artifact, sha256, size, pinned_key) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {summary.name, summary.version, artifact.name, artifact.sha256,
         static_cast<std::int64_t>(artifact.size), artifact.key});
  }
}

std::string list_requirements(const std::map<std::string, std::string>& requirements) {
  std::string text;
  for (const auto& [who, range] : requirements) {
    if (!text.empty()) text += ", ";
    text += who + " wants \"" + range + "\"";
  }
  return text.empty() ? "no requirements" : text;
}

}  // namespace

std::optional<std::string> find_deprecation(store::Transaction& tx, const std::string& arn) {
  const auto row = tx.query_one("SELECT tag_value FROM tags WHERE arn = $1 AND tag_key = $2",
                                {arn, std::string(kDeprecatedTag)});
  if (!row) return std::nullopt;
  return row->text(0).empty() ? "no reason was given" : row->text(0);
}

Components::Components(store::Database& database, store::ObjectStore& objects,
                       const base::Clock& clock, Arns arns)
    : database_(database), objects_(objects), clock_(clock), arns_(std::move(arns)) {
  if (!objects_.has_bucket(std::string(kArtifactBucket))) {
    objects_.create_bucket(std::string(kArtifactBucket));
  }
  release_leftovers();
}

void Components::release_leftovers() {
  store::ListRequest request;
  request.bucket = kArtifactBucket;
  while (true) {
    const store::ListPage page = objects_.list(request);
    std::vector<std::string> leftovers;
    database_.read([&](store::Transaction& tx) {
      for (const store::ObjectInfo& object : page.objects) {
        if (!tx.query_one("SELECT 1 FROM component_artifacts WHERE pinned_key = $1 LIMIT 1",
                          {object.key})) {
          leftovers.push_back(object.key);
        }
      }
    });
    for (const std::string& key : leftovers) objects_.remove(request.bucket, key);
    if (!page.next_start_after) return;
    request.start_after = *page.next_start_after;
  }
}

ComponentSummary Components::create(std::string_view recipe_text,
                                    const std::optional<std::string>& client_token) {
  if (client_token) check_client_token(*client_token);
  const RequestToken token{"CreateComponentVersion", client_token.value_or(""),
                           trust::sha256_hex(recipe_text)};
  recipe::Recipe recipe = recipe::parse_recipe(recipe_text);
  const std::string name = recipe.component_name;
  const std::string version = recipe.component_version.to_string();
  const base::Timestamp now = clock_.now();

  // What a repeated request finds; in one place because it is asked before and after pinning.
  const auto find_earlier = [&](store::Transaction& tx) -> std::optional<ComponentSummary> {
    const auto earlier = read_version(tx, name, version, arns_);
    if (client_token && find_result(tx, token, now) && earlier) return earlier->summary;
    if (earlier) {
      throw Error(ErrorCode::conflict, "component " + name + " version " + version +
                                           " exists already and cannot change; raise "
                                           "ComponentVersion");
    }
    return std::nullopt;
  };
  std::optional<ComponentSummary> earlier;
  database_.write([&](store::Transaction& tx) { earlier = find_earlier(tx); });
  if (earlier) return *earlier;

  if (!recipe.ignored.empty()) {
    base::log_warning("a recipe holds what means nothing",
                      {{"component", recipe.id()}, {"what", recipe::to_text(recipe.ignored)}});
  }
  const std::vector<PinnedArtifact> artifacts = pin_artifacts(objects_, recipe);
  ComponentVersion made;
  made.recipe = std::string(recipe_text);
  made.served_recipe = base::to_text(recipe::to_canonical_json(recipe));
  made.summary = {name,
                  version,
                  arns_.component_version(name, version),
                  now,
                  recipe.description,
                  recipe.publisher,
                  {}};
  for (const recipe::Manifest& manifest : recipe.manifests) {
    made.summary.platforms.push_back(manifest.platform);
  }
  try {
    database_.write([&](store::Transaction& tx) {
      earlier = find_earlier(tx);
      if (earlier) return;
      insert(tx, recipe, made, artifacts);
      if (client_token && !find_result(tx, token, now)) {
        remember_result(tx, token, made.summary.arn, now);
      }
    });
  } catch (...) {  // whatever it was, the copies must not stay
    release_artifacts(objects_, artifacts);
    throw;
  }
  if (earlier) {
    release_artifacts(objects_, artifacts);
    return *earlier;
  }
  return made.summary;
}

std::optional<ComponentVersion> Components::find(const std::string& name,
                                                 const std::string& version) const {
  return database_.read(
      [&](store::Transaction& tx) { return read_version(tx, name, version, arns_); });
}

Page<ComponentSummary> Components::list(const PageRequest& page) const {
  Page<ComponentSummary> result;
  database_.read([&](store::Transaction& tx) {
    const auto names =
        tx.query("SELECT DISTINCT name FROM components WHERE name > $1 ORDER BY name LIMIT $2",
                 {page.after, static_cast<std::int64_t>(page.limit + 1)});
    for (const store::Row& row : names) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().name;
        break;
      }
      result.items.push_back(versions_of(tx, row.text(0), arns_).front());
    }
  });
  return result;
}

Page<ComponentSummary> Components::list_versions(const std::string& name,
                                                 const PageRequest& page) const {
  Page<ComponentSummary> result;
  database_.read([&](store::Transaction& tx) {
    std::vector<ComponentSummary> versions = versions_of(tx, name, arns_);
    auto item = versions.begin();
    if (!page.after.empty()) {
      const auto after = recipe::Version::parse(page.after);
      if (!after) {
        throw Error(ErrorCode::invalid_argument,
                    "nextToken is not one that this operation gave; start the list anew");
      }
      item = std::find_if(versions.begin(), versions.end(), [&](const ComponentSummary& summary) {
        return recipe::is_listed_before(version_of(summary.version), *after);
      });
    }
    for (; item != versions.end(); ++item) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().version;
        break;
      }
      result.items.push_back(*item);
    }
  });
  return result;
}

void Components::remove(const std::string& name, const std::string& version) {
  std::vector<std::string> pinned_keys;
  database_.write([&](store::Transaction& tx) {
    if (!read_version(tx, name, version, arns_)) {
      throw Error(ErrorCode::not_found, "there is no component " + name + " version " + version);
    }
    // On a device that has not finished; or, while a deployment is still being brought to its
    // devices, on the next one.
    auto busy = tx.query_one(
        "SELECT j.thing, j.job_id FROM deployment_components c "
        "JOIN deployments d ON d.id = c.deployment_id "
        "JOIN job_executions j ON j.job_id = c.deployment_id "
        "WHERE c.name = $1 AND c.version = $2 AND d.state = 'CURRENT' "
        "AND j.status IN ('IN_PROGRESS', 'QUEUED') LIMIT 1",
        {name, version});
    if (!busy) {
      busy = tx.query_one(
          "SELECT d.target, d.id FROM deployment_components c "
          "JOIN deployments d ON d.id = c.deployment_id "
          "JOIN rollouts r ON r.deployment_id = c.deployment_id "
          "WHERE c.name = $1 AND c.version = $2 AND d.state = 'CURRENT' LIMIT 1",
          {name, version});
    }
    if (busy) {
      throw Error(ErrorCode::conflict, "component " + name + " version " + version +
                                           " is being deployed to " + busy->text(0) +
                                           "; cancel deployment " + busy->text(1) + " first");
    }
    for (const store::Row& row :
         tx.query("SELECT pinned_key FROM component_artifacts WHERE name = $1 AND version = $2",
                  {name, version})) {
      pinned_keys.push_back(row.text(0));
    }
    tx.execute("DELETE FROM components WHERE name = $1 AND version = $2", {name, version});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.component_version(name, version)});
  });
  for (const std::string& key : pinned_keys) objects_.remove(std::string(kArtifactBucket), key);
}

ComponentVersion Components::resolve(const ComponentCandidate& candidate,
                                     const std::map<std::string, std::string>& platform) const {
  const recipe::VersionRange wanted = recipe::merged_range(candidate.requirements);
  std::optional<ComponentVersion> found;
  database_.read([&](store::Transaction& tx) {
    const std::vector<ComponentSummary> versions = versions_of(tx, candidate.name, arns_);
    std::vector<const ComponentSummary*> fitting;
    for (const ComponentSummary& summary : versions) {
      if (wanted.contains(version_of(summary.version))) fitting.push_back(&summary);
    }
    if (fitting.empty()) {
      std::string known;
      for (const ComponentSummary& summary : versions) {
        known += (known.empty() ? "" : ", ") + summary.version;
      }
      throw Error(ErrorCode::not_found, "no usable version of component " + candidate.name + ": " +
                                            list_requirements(candidate.requirements) +
                                            "; the server has " + (known.empty() ? "none" : known));
    }
    const auto local =
        std::find_if(fitting.begin(), fitting.end(), [&](const ComponentSummary* summary) {
          return summary->version == candidate.local_version.value_or("");
        });
    if (local != fitting.end()) std::rotate(fitting.begin(), local, local + 1);
    // The platforms of the recipe's manifests are stored beside it, so that nothing is parsed here.
    const auto runs_on = [&](const ComponentSummary& summary) {
      return platform.empty() ||
             std::any_of(summary.platforms.begin(), summary.platforms.end(),
                         [&](const auto& one) { return recipe::platform_matches(one, platform); });
    };
    for (const ComponentSummary* summary : fitting) {
      if (!runs_on(*summary)) continue;
      found = read_version(tx, candidate.name, summary->version, arns_);
      return;
    }
    std::string device;
    for (const auto& [key, value] : platform) device += " " + key + "=" + value;
    throw fleet::Refusal(ErrorCode::not_found, fleet::kPlatformNotSupported,
                         "component " + candidate.name + " version " + fitting.front()->version +
                             " does not claim platform compatibility with" + device);
  });
  return std::move(*found);
}

ComponentCondition Components::condition(const std::string& name,
                                         const std::string& version) const {
  ComponentCondition condition;
  for (const ComponentArtifact& artifact : artifacts(name, version)) {
    if (objects_.open_blob(artifact.sha256)) continue;
    condition.errors[artifact.name] =
        "its bytes (SHA-256 " + artifact.sha256 + ") are missing in the object store";
  }
  if (!condition.errors.empty()) {
    condition.state = ComponentState::failed;
    condition.message = "artifacts are missing; create the component in a higher version";
    return condition;
  }
  database_.read([&](store::Transaction& tx) {
    if (const auto reason = find_deprecation(tx, arns_.component_version(name, version))) {
      condition.state = ComponentState::deprecated;
      condition.message = *reason;
      return;
    }
    const auto found = read_version(tx, name, version, arns_);
    if (found) condition.message = recipe::to_text(recipe::parse_recipe(found->recipe).ignored);
  });
  return condition;
}

std::vector<ComponentArtifact> Components::artifacts(const std::string& name,
                                                     const std::string& version) const {
  std::vector<ComponentArtifact> artifacts;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT artifact, sha256, size, pinned_key FROM component_artifacts "
                  "WHERE name = $1 AND version = $2 ORDER BY artifact",
                  {name, version})) {
      artifacts.push_back(
          {row.text(0), row.text(1), static_cast<std::uint64_t>(row.integer(2)), row.text(3)});
    }
  });
  return artifacts;
}

std::optional<ComponentArtifact> Components::find_artifact(const std::string& name,
                                                           const std::string& version,
                                                           const std::string& artifact) const {
  for (ComponentArtifact& found : artifacts(name, version)) {
    if (found.name == artifact) return std::move(found);
  }
  return std::nullopt;
}

}  // namespace andon::control
