// SPDX-License-Identifier: Apache-2.0
// The fleet's registry: things (devices), thing groups and who belongs to which. A thing that joins
// a group gets the group's current deployment. Any thread; each call is one transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class Outbox;

struct Thing {
  std::string name;
  std::string id;
  std::string arn;
  std::string type_name;  // empty: none
  std::map<std::string, std::string> attributes;
  std::int64_t version = 1;
};

struct ThingGroup {
  std::string name;
  std::string id;
  std::string arn;
  std::string description;
  std::string parent;                  // empty: none
  std::vector<std::string> ancestors;  // root first, the group itself not among them
  std::map<std::string, std::string> attributes;
  std::int64_t version = 1;
  base::Timestamp created;
  std::optional<std::string> query;  // of a dynamic group: who belongs to it
  bool is_built = true;              // its members have been looked for
};

struct ThingGroupUpdate {
  std::optional<std::string> description;
  std::optional<std::map<std::string, std::string>> attributes;
  bool merges_attributes = false;  // an empty value removes
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> query;  // of a dynamic group
};

// Within the caller's transaction: a group whose members are looked for from now on.
void make_dynamic(store::Transaction& tx, const std::string& group, const std::string& query);

enum class AttributeChange { replace, merge };  // merge: an empty value removes

struct ThingUpdate {
  std::optional<std::map<std::string, std::string>> attributes;
  AttributeChange change = AttributeChange::replace;
  std::optional<std::string> type_name;  // "" removes it
  std::optional<std::int64_t> expected_version;
};

struct ThingFilter {
  std::string attribute_name;  // empty: all
  std::string attribute_value;
  std::string type_name;
};

class Things {
 public:
  Things(store::Database& database, Outbox& outbox, const base::Clock& clock, Arns arns);

  // The same thing again with the same attributes is no error, as in AWS; other attributes are
  // (already_exists). "andon-..." names are reserved for the server itself.
  Thing create(const std::string& name, const std::map<std::string, std::string>& attributes,
               const std::string& type_name = {});
  [[nodiscard]] std::optional<Thing> find(const std::string& name) const;
  [[nodiscard]] Page<Thing> list(const ThingFilter& filter, const PageRequest& page) const;
  void update(const std::string& name, const ThingUpdate& change);  // not_found, conflict
  // Its jobs and inventory go with it. failed_precondition while a certificate is attached to it;
  // nothing for an unknown thing.
  void remove(const std::string& name, std::optional<std::int64_t> expected_version = {});

  // With a `query` the group is dynamic, and its members are still to be looked for.
  ThingGroup create_group(const std::string& name, const std::string& parent,
                          const std::string& description,
                          const std::map<std::string, std::string>& attributes,
                          const std::optional<std::string>& query = {});
  [[nodiscard]] std::optional<ThingGroup> find_group(const std::string& name) const;
  // Answers its new version. not_found, conflict; failed_precondition for a query of a group that
  // has none.
  std::int64_t update_group(const std::string& name, const ThingGroupUpdate& change);
  // Empty `parent`: all groups; `recursive`: its children's children too.
  enum class Depth { children, descendants };
  [[nodiscard]] Page<std::string> list_groups(const std::string& prefix, const std::string& parent,
                                              Depth depth, const PageRequest& page) const;
  // failed_precondition while it has child groups, conflict where it has another version than the
  // expected one; nothing for an unknown one.
  void remove_group(const std::string& name, std::optional<std::int64_t> expected_version = {});

  // not_found; failed_precondition for a dynamic group.
  void add_to_group(const std::string& thing, const std::string& group);
  void remove_from_group(const std::string& thing, const std::string& group);
  // Both at once, all or nothing.
  void change_groups(const std::string& thing, const std::vector<std::string>& joins,
                     const std::vector<std::string>& leaves);
  [[nodiscard]] Page<std::string> list_members(const std::string& group, Depth depth,
                                               const PageRequest& page) const;
  // The groups that it was added to, without their parents.
  [[nodiscard]] Page<std::string> list_groups_of(const std::string& thing,
                                                 const PageRequest& page) const;

 private:
  store::Database& database_;
  Outbox& outbox_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
