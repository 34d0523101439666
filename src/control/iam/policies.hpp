// SPDX-License-Identifier: Apache-2.0
// Managed policies with their versions, what they are attached to, and inline policies.
// Any thread; each call is one transaction. Errors as in entities.hpp; a document that is no policy
// is invalid_argument.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/iam/entities.hpp"
#include "control/iam/iam_rules.hpp"
#include "control/iam/types.hpp"
#include "control/shared/document_versions.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct PolicyFilter {
  enum class Scope : std::uint8_t { all, ready_made, own };
  Scope scope = Scope::all;
  bool only_attached = false;
  std::string path_prefix = "/";
};

struct AttachedPolicy {
  std::string arn;
  std::string name;
};

class Policies {
 public:
  Policies(store::Database& database, const base::Clock& clock, const Entities& entities,
           IamChanges& changes);

  ManagedPolicy create(const NewPolicy& policy,
                       const std::map<std::string, std::string>& tags = {});
  [[nodiscard]] ManagedPolicy require(const std::string& arn) const;
  [[nodiscard]] Page<ManagedPolicy> list(const PolicyFilter& filter, const PageRequest& page) const;
  void remove(const std::string& arn);

  DocumentVersion add_version(const std::string& arn, const std::string& document,
                              VersionStanding standing);
  [[nodiscard]] DocumentVersion version(const std::string& arn, std::int64_t version) const;
  [[nodiscard]] std::vector<DocumentVersion> versions(
      const std::string& arn) const;  // newest first
  void set_default_version(const std::string& arn, std::int64_t version);
  void remove_version(const std::string& arn, std::int64_t version);

  void attach(EntityKind kind, const std::string& name, const std::string& arn);
  void detach(EntityKind kind, const std::string& name, const std::string& arn);
  [[nodiscard]] std::vector<AttachedPolicy> attached(EntityKind kind,
                                                     const std::string& name) const;
  // Who has it, users first; at most a page.
  [[nodiscard]] Page<Entity> entities_of(const std::string& arn, const PageRequest& page) const;

  void put_inline(EntityKind kind, const std::string& name, const std::string& policy,
                  const std::string& document);
  [[nodiscard]] std::string inline_document(EntityKind kind, const std::string& name,
                                            const std::string& policy) const;
  void remove_inline(EntityKind kind, const std::string& name, const std::string& policy);
  [[nodiscard]] std::vector<std::string> inline_names(EntityKind kind,
                                                      const std::string& name) const;

  // Within a transaction of who calls: what an entity has, as names and documents.
  struct Held {
    std::string name;  // the ARN of a managed policy
    std::string document;
  };
  [[nodiscard]] static std::vector<Held> held_by(store::Transaction& tx,
                                                 const std::string& entity_id);
  static void attach(store::Transaction& tx, const std::string& entity_id, const std::string& arn);

 private:
  store::Database& database_;
  const base::Clock& clock_;
  const Entities& entities_;
  IamChanges& changes_;
};

}  // namespace andon::control
