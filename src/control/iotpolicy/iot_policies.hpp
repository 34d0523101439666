// SPDX-License-Identifier: Apache-2.0
// Room: iotpolicy. IoT policies: what devices and consumers may do at the broker.
// The policies with their versions, and what they are attached to, as AWS IoT has them. A change
// counts at the broker within a second (identity/connection_rights.hpp). Any thread; each call is
// one transaction. Errors: not_found, already_exists, invalid_argument for a document that is no
// policy, conflict for what cannot be deleted, resource_exhausted for what is too many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/iotpolicy/iot_policy_rules.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/document_versions.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct IotPolicy {
  std::string name;
  std::string arn;
  std::string document;  // of the default version
  std::int64_t default_version = 1;
  base::Timestamp created;
  base::Timestamp updated;
};

class IotPolicies {
 public:
  static constexpr std::int64_t kMostPolicies = 10'000;
  static constexpr std::int64_t kMostAttached = 10;  // to one target

  IotPolicies(store::Database& database, const base::Clock& clock, Arns arns);

  IotPolicy create(const std::string& name, const std::string& document);
  IotPolicy create(store::Transaction& tx, const std::string& name,
                   const std::string& document) const;
  [[nodiscard]] IotPolicy require(const std::string& name) const;
  [[nodiscard]] IotPolicy require(store::Transaction& tx, const std::string& name) const;
  enum class Order : std::uint8_t { ascending, descending };
  [[nodiscard]] Page<std::string> list(Order order, const PageRequest& page) const;
  // conflict while it has other versions or is attached.
  void remove(const std::string& name);

  DocumentVersion add_version(const std::string& name, const std::string& document,
                              VersionStanding standing);
  [[nodiscard]] DocumentVersion version(const std::string& name, std::int64_t version) const;
  [[nodiscard]] std::vector<DocumentVersion> versions(const std::string& name) const;
  void set_default_version(const std::string& name, std::int64_t version);
  // conflict for the default.
  void remove_version(const std::string& name, std::int64_t version);

  // To a certificate: and to its renewals.
  void attach(const std::string& name, const PolicyTarget& target);
  void attach(store::Transaction& tx, const std::string& name, const PolicyTarget& target) const;
  // Nothing where it is not attached.
  void detach(const std::string& name, const PolicyTarget& target);
  enum class Reach : std::uint8_t { itself, with_parents };  // of a thing group
  [[nodiscard]] Page<std::string> attached(const PolicyTarget& target, Reach reach,
                                           const PageRequest& page) const;
  // Keys (PolicyTarget::key()) that begin with `prefix`.
  [[nodiscard]] Page<std::string> targets(const std::string& name, const std::string& prefix,
                                          const PageRequest& page) const;
  // What counts for a certificate, a consumer or a group, and, of the groups of `thing` (empty: of
  // the certificate's own thing), for these. In the order of the names.
  [[nodiscard]] std::vector<IotPolicy> effective(const std::string& principal_key,
                                                 const std::string& thing) const;

  [[nodiscard]] std::string arn(const std::string& name) const {
    return arns_.target("policy/" + name);
  }

 private:
  store::Database& database_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
