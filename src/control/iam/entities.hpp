// SPDX-License-Identifier: Apache-2.0
// Users, groups and roles: made, found, renamed, removed, and who is in which group.
// Any thread; each call is one transaction. Errors name the entity: not_found, already_exists,
// failed_precondition where it still has something, resource_exhausted, invalid_argument.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/iam/iam_rules.hpp"
#include "control/iam/types.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct EntityUpdate {
  std::optional<std::string> name;
  std::optional<std::string> path;
  std::optional<std::string> description;
  std::optional<std::string> trust;
  std::optional<std::chrono::seconds> longest_session;
};

class Entities {
 public:
  Entities(store::Database& database, const base::Clock& clock, std::string account,
           IamChanges& changes);

  Entity create(const NewEntity& entity, const std::map<std::string, std::string>& tags = {});
  [[nodiscard]] std::optional<Entity> find(EntityKind kind, const std::string& name) const;
  [[nodiscard]] Entity require(EntityKind kind, const std::string& name) const;
  [[nodiscard]] std::optional<Entity> find_by_id(const std::string& id) const;
  // "arn:aws:iam::<account>:role/plant/x": nothing where name, path or account differ.
  [[nodiscard]] std::optional<Entity> find_by_arn(EntityKind kind, const std::string& arn) const;
  // By name; `path_prefix` "/" is all of them.
  [[nodiscard]] Page<Entity> list(EntityKind kind, const std::string& path_prefix,
                                  const PageRequest& page) const;
  void update(EntityKind kind, const std::string& name, const EntityUpdate& update);
  void remove(EntityKind kind, const std::string& name);

  void add_member(const std::string& group, const std::string& user);
  void remove_member(const std::string& group, const std::string& user);
  [[nodiscard]] Page<Entity> members(const std::string& group, const PageRequest& page) const;
  [[nodiscard]] Page<Entity> groups_of(const std::string& user, const PageRequest& page) const;

  [[nodiscard]] std::map<std::string, std::string> tags(EntityKind kind,
                                                        const std::string& name) const;
  void tag(EntityKind kind, const std::string& name,
           const std::map<std::string, std::string>& tags);
  void untag(EntityKind kind, const std::string& name, const std::vector<std::string>& keys);

  // Within a transaction of who calls.
  [[nodiscard]] std::optional<Entity> find(store::Transaction& tx, EntityKind kind,
                                           const std::string& name) const;
  [[nodiscard]] std::optional<Entity> find_by_id(store::Transaction& tx,
                                                 const std::string& id) const;
  [[nodiscard]] Entity require(store::Transaction& tx, EntityKind kind,
                               const std::string& name) const;
  [[nodiscard]] std::vector<Entity> groups_of(store::Transaction& tx,
                                              const std::string& user_id) const;
  Entity insert(store::Transaction& tx, const NewEntity& entity);
  [[nodiscard]] const std::string& account() const { return account_; }

 private:
  [[nodiscard]] Entity read(const store::Row& row) const;
  [[nodiscard]] Page<Entity> page_of(const std::vector<store::Row>& rows,
                                     const PageRequest& page) const;

  store::Database& database_;
  const base::Clock& clock_;
  std::string account_;
  IamChanges& changes_;
};

}  // namespace andon::control
