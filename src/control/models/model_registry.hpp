// SPDX-License-Identifier: Apache-2.0
// The model registry, with the semantics of SageMaker's: groups of model packages, each package a
// numbered version with its specification and an approval status. Any thread; each call is one
// transaction, after a crash it has happened whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/shared/page.hpp"
#include "control/shared/tags.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"
#include "store/sql/paged_query.hpp"

namespace andon::control {

struct ModelPackageGroup {
  std::string name;
  std::string description;
  base::Timestamp created;
};

enum class ApprovalStatus { pending, approved, rejected };
[[nodiscard]] std::string_view to_string(ApprovalStatus status);  // "PendingManualApproval"
[[nodiscard]] std::optional<ApprovalStatus> parse_approval_status(std::string_view text);

// A package of a group is its name and a version from 1 on; one without a group has version 0.
struct ModelPackageId {
  std::string name;
  std::int64_t version = 0;
  [[nodiscard]] bool is_versioned() const { return version > 0; }
};

struct ModelPackage {
  ModelPackageId id;
  // What the caller gave and gets back (InferenceSpecification, ModelMetrics ...), as AWS names it.
  base::json::object content;
  ApprovalStatus approval = ApprovalStatus::pending;
  std::string approval_description;
  base::Timestamp created;
  std::optional<base::Timestamp> modified;
  // ARNs of who has made it and who has changed it last; empty where that was not kept yet.
  std::string created_by = {};
  std::string modified_by = {};
};

// That a version was approved, rejected or sent back to wait.
struct ModelDecision {
  ApprovalStatus approval = ApprovalStatus::pending;
  std::string by;      // an ARN
  std::string reason;  // as it was given with it; empty: none
  base::Timestamp time;
};

// What a package's containers point at, as it was when they were set.
struct ModelData {
  std::string url;  // s3://bucket/key
  std::string sha256;
  std::uint64_t size = 0;
  std::string etag;
};

enum class RegistrySort { by_name, by_creation_time };
using store::SortOrder;
enum class PackageKind { versioned, unversioned, both };

struct RegistryFilter {
  std::optional<base::Timestamp> created_after;
  std::optional<base::Timestamp> created_before;
  std::string name_contains;
  RegistrySort sort = RegistrySort::by_creation_time;
  SortOrder order = SortOrder::ascending;
  // Packages only.
  std::optional<std::string> group;
  std::optional<ApprovalStatus> approval;
  PackageKind kind = PackageKind::both;
};

struct NewModelPackage {
  std::string name;
  PackageKind kind = PackageKind::versioned;  // versioned: `name` is the group's
  base::json::object content;
  ApprovalStatus approval = ApprovalStatus::pending;
  std::optional<std::string> client_token;
  std::string by = {};  // the ARN of who makes it
};

struct ModelPackageChange {
  std::optional<ApprovalStatus> approval;
  std::optional<std::string> approval_description;
  base::json::object replaced_content;  // members that replace those of the content
  base::json::object added_customer_metadata;
  std::vector<std::string> removed_customer_metadata;
  base::json::array added_inference_specifications;
  std::string by = {};  // the ARN of who changes it
};

class ModelRegistry {
 public:
  // Brings the schema up to date.
  ModelRegistry(store::Database& database, const store::ObjectStore& objects,
                const base::Clock& clock);

  // Throws invalid_argument for a malformed name, already_exists.
  void create_group(const std::string& name, const std::string& description);
  [[nodiscard]] std::optional<ModelPackageGroup> find_group(const std::string& name) const;
  [[nodiscard]] Page<ModelPackageGroup> list_groups(const RegistryFilter& filter,
                                                    const PageRequest& page) const;
  void delete_group(const std::string& name);  // not_found; conflict while it has packages

  // Each ModelDataUrl must name an object that is here (invalid_argument); its digest, size and
  // ETag are recorded, and the ETag is put into the container as ModelDataETag. The same client
  // token with the same content gives the package that it made before, with another conflict.
  ModelPackage create_package(const NewModelPackage& package);
  [[nodiscard]] std::optional<ModelPackage> find_package(const ModelPackageId& id) const;
  [[nodiscard]] std::vector<ModelData> model_data(const ModelPackageId& id) const;
  [[nodiscard]] Page<ModelPackage> list_packages(const RegistryFilter& filter,
                                                 const PageRequest& page) const;
  void update_package(const ModelPackageId& id, const ModelPackageChange& change);  // not_found
  void delete_package(const ModelPackageId& id);                                    // not_found
  // Newest first, the last 50 of them (model_decisions.hpp).
  [[nodiscard]] std::vector<ModelDecision> decisions(const ModelPackageId& id) const;

  [[nodiscard]] Tags& tags() { return tags_; }  // of groups and packages, by ARN

 private:
  store::Database& database_;
  const store::ObjectStore& objects_;
  const base::Clock& clock_;
  Tags tags_;
};

}  // namespace andon::control
