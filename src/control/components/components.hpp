// SPDX-License-Identifier: Apache-2.0
// Component versions: made once from a recipe, never changed after. Their s3:// artifacts are
// pinned when they are made (a copy in the bucket kArtifactBucket, by reference to the same bytes),
// so that overwriting the source object changes nothing. Any thread.
// After a crash a version is there whole or not at all; pinned copies that no version names are
// released by the next start (the constructor).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "fleet/messages/data_plane.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

// Written only by Components; the S3 API must refuse writes to it.
inline constexpr std::string_view kArtifactBucket = "andon-artifacts";

struct ComponentSummary {
  std::string name;
  std::string version;
  std::string arn;  // of the version
  base::Timestamp created;
  std::string description;
  std::string publisher;
  std::vector<std::map<std::string, std::string>> platforms;  // one a manifest
};

struct ComponentVersion {
  ComponentSummary summary;
  std::string recipe;         // as it was written: JSON or YAML
  std::string served_recipe;  // canonical JSON with greengrass: URIs, digests and sizes
};

struct ComponentArtifact {
  std::string name;  // after "greengrass:"
  std::string sha256;
  std::uint64_t size = 0;
  std::string pinned_key;  // in kArtifactBucket
};

// May it be deployed? Who tags a version with kDeprecatedTag (its value says why) takes it out of
// use: devices that have it go on, and no new deployment may choose it.
inline constexpr std::string_view kDeprecatedTag = "andon:deprecated";
enum class ComponentState { deployable, failed, deprecated };
struct ComponentCondition {
  ComponentState state = ComponentState::deployable;
  std::string message;  // for people: why, or which keys of its recipe are ignored
  std::map<std::string, std::string> errors;  // artifact -> what is wrong with it
};

using fleet::ComponentCandidate;

// Why the component version `arn` is DEPRECATED; nothing where it is not.
[[nodiscard]] std::optional<std::string> find_deprecation(store::Transaction& tx,
                                                          const std::string& arn);

class Components {
 public:
  Components(store::Database& database, store::ObjectStore& objects, const base::Clock& clock,
             Arns arns);

  // Throws invalid_argument naming what is wrong in the recipe, not_found for an artifact that is
  // not in the object store, conflict for a version that exists. The same `client_token` with the
  // same recipe answers as the first time.
  ComponentSummary create(std::string_view recipe_text,
                          const std::optional<std::string>& client_token);

  [[nodiscard]] std::optional<ComponentVersion> find(const std::string& name,
                                                     const std::string& version) const;
  // The highest version of each component, by name.
  [[nodiscard]] Page<ComponentSummary> list(const PageRequest& page) const;
  // Highest version first; none of a component that is not there, as AWS has it (GDK's first
  // publication asks).
  [[nodiscard]] Page<ComponentSummary> list_versions(const std::string& name,
                                                     const PageRequest& page) const;
  // Throws not_found, and conflict while a device still has to deploy it.
  void remove(const std::string& name, const std::string& version);

  // The local version if it fits every requirement, else the highest that does and has a manifest
  // for `platform` (an empty platform fits all). Throws not_found, worded as Greengrass devices
  // expect ("no usable version", "claim platform").
  [[nodiscard]] ComponentVersion resolve(const ComponentCandidate& candidate,
                                         const std::map<std::string, std::string>& platform) const;

  // FAILED where bytes of an artifact are gone from the object store.
  [[nodiscard]] ComponentCondition condition(const std::string& name,
                                             const std::string& version) const;

  [[nodiscard]] std::vector<ComponentArtifact> artifacts(const std::string& name,
                                                         const std::string& version) const;
  [[nodiscard]] std::optional<ComponentArtifact> find_artifact(const std::string& name,
                                                               const std::string& version,
                                                               const std::string& artifact) const;

 private:
  void release_leftovers();

  store::Database& database_;
  store::ObjectStore& objects_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
