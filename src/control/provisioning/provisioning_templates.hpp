// SPDX-License-Identifier: Apache-2.0
// Provisioning templates and their versions, as AWS IoT has them. Any thread; each call is one
// transaction. Errors: not_found, already_exists, invalid_argument for a body that is none,
// conflict for the default version, resource_exhausted for what is too many.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/document_versions.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// A function that is asked before a device is let in.
struct ProvisioningHook {
  std::string function_arn;  // empty: none
  std::string payload_version;
};

struct ProvisioningTemplate {
  std::string name;
  std::string arn;
  std::string description;
  bool is_enabled = false;
  std::string role_arn;
  ProvisioningHook hook;
  std::int64_t default_version = 1;
  std::string body;  // of the default version
  base::Timestamp created;
  base::Timestamp updated;
};

struct ProvisioningTemplateChange {
  std::optional<std::string> description;
  std::optional<bool> is_enabled;
  std::optional<std::int64_t> default_version;
  std::optional<std::string> role_arn;
  std::optional<ProvisioningHook> hook;  // one without a function takes it away
};

class ProvisioningTemplates {
 public:
  static constexpr std::int64_t kMostTemplates = 256;

  ProvisioningTemplates(store::Database& database, const base::Clock& clock, Arns arns);

  // Name, description, is_enabled, role_arn, hook and body of `wanted`.
  ProvisioningTemplate create(const ProvisioningTemplate& wanted);
  [[nodiscard]] ProvisioningTemplate require(const std::string& name) const;
  [[nodiscard]] ProvisioningTemplate require(store::Transaction& tx, const std::string& name) const;
  [[nodiscard]] Page<ProvisioningTemplate> list(const PageRequest& page) const;  // without bodies
  void update(const std::string& name, const ProvisioningTemplateChange& change);
  // Its claims go with it. conflict while it has versions beside the default one.
  void remove(const std::string& name);

  DocumentVersion add_version(const std::string& name, const std::string& body,
                              VersionStanding standing);
  [[nodiscard]] DocumentVersion version(const std::string& name, std::int64_t version) const;
  [[nodiscard]] std::vector<DocumentVersion> versions(const std::string& name) const;
  void remove_version(const std::string& name, std::int64_t version);

  [[nodiscard]] std::string arn(const std::string& name) const {
    return arns_.target("provisioningtemplate/" + name);
  }

 private:
  store::Database& database_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
