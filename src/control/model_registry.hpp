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

#include "base/json.hpp"
#include "base/time.hpp"
#include "control/page.hpp"
#include "store/database.hpp"
#include "store/object_store.hpp"

namespace andon::control {

struct ModelPackageGroup {
  std::string name;
  std::string description;
  base::Timestamp created;
};

enum class ApprovalStatus { pending, approved, rejected };
[[nodiscard]] std::string_view to_string(ApprovalStatus status);  // "PendingManualApproval"
[[nodiscard]] std::optional<ApprovalStatus> parse_approval_status(std::string_view text);

struct ModelPackage {
  std::string name;                     // of the package; for a versioned one, of its group
  std::optional<std::int64_t> version;  // set where it belongs to a group
  // What the caller gave and gets back (InferenceSpecification, ModelMetrics ...), as AWS names it.
  base::json::object content;
  ApprovalStatus approval = ApprovalStatus::pending;
  std::string approval_description;
  base::Timestamp created;
  std::optional<base::Timestamp> modified;
};

// What a package's containers point at, as it was when the package was made.
struct ModelData {
  std::string url;  // s3://bucket/key
  std::string sha256;
  std::uint64_t size = 0;
  std::string etag;
};

enum class RegistrySort { by_name, by_creation_time };
enum class SortOrder { ascending, descending };

struct RegistryFilter {
  std::optional<base::Timestamp> created_after;
  std::optional<base::Timestamp> created_before;
  std::string name_contains;
  std::optional<std::string> group;        // packages only
  std::optional<ApprovalStatus> approval;  // packages only
  bool with_versioned = true;              // packages only
  bool with_unversioned = true;            // packages only
  RegistrySort sort = RegistrySort::by_creation_time;
  SortOrder order = SortOrder::descending;
};

struct NewModelPackage {
  std::optional<std::string> group;  // else `name`
  std::optional<std::string> name;
  base::json::object content;
  ApprovalStatus approval = ApprovalStatus::pending;
  std::optional<std::string> client_token;
};

struct ModelPackageChange {
  std::optional<ApprovalStatus> approval;
  std::optional<std::string> approval_description;
  base::json::object replaced_content;  // members that replace those of `content`
  std::vector<std::string> removed_customer_metadata;
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

  // Each s3:// ModelDataUrl must name an object that is here (invalid_argument); its digest, size
  // and ETag are recorded, and the ETag is added to the container as ModelDataETag. The same
  // client token with the same content gives the package that it made before, with another content
  // conflict.
  ModelPackage create_package(const NewModelPackage& package);
  [[nodiscard]] std::optional<ModelPackage> find_package(const std::string& name,
                                                         std::optional<std::int64_t> version) const;
  [[nodiscard]] std::vector<ModelData> model_data(const std::string& name,
                                                  std::optional<std::int64_t> version) const;
  [[nodiscard]] Page<ModelPackage> list_packages(const RegistryFilter& filter,
                                                 const PageRequest& page) const;
  ModelPackage update_package(const std::string& name, std::optional<std::int64_t> version,
                              const ModelPackageChange& change);                      // not_found
  void delete_package(const std::string& name, std::optional<std::int64_t> version);  // not_found

 private:
  store::Database& database_;
  const store::ObjectStore& objects_;
  const base::Clock& clock_;
};

}  // namespace andon::control
