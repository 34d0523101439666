// SPDX-License-Identifier: Apache-2.0
// Who belongs to which thing group, parents included: a member of a group is a member of the
// group's ancestors too. Within the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "control/shared/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// Of the group and of all groups below it; by name.
[[nodiscard]] std::vector<std::string> members_of(store::Transaction& tx, const std::string& group);
// At most `limit` of them whose names come after `after`.
[[nodiscard]] std::vector<std::string> members_after(store::Transaction& tx,
                                                     const std::string& group,
                                                     const std::string& after, std::size_t limit);
// From the root down to the parent of `group`.
[[nodiscard]] std::vector<std::string> ancestors_of(store::Transaction& tx,
                                                    const std::string& group);
// The group itself and everything below it.
[[nodiscard]] std::vector<std::string> subtree_of(store::Transaction& tx, const std::string& group);
// Every group that `thing` belongs to, ancestors included; by name.
[[nodiscard]] std::vector<std::string> groups_reaching(store::Transaction& tx,
                                                       const std::string& thing);
// At most `limit` of the things that a deployment to `target` is for, by name, after `after`.
[[nodiscard]] std::vector<std::string> things_after(store::Transaction& tx, const Target& target,
                                                    const std::string& after, std::size_t limit);
// "WITH RECURSIVE subtree (name) AS (...) ": the group $1 and everything below it.
[[nodiscard]] std::string subtree_sql();

[[nodiscard]] bool has_thing(store::Transaction& tx, const std::string& name);
[[nodiscard]] bool has_group(store::Transaction& tx, const std::string& name);
// Throw not_found.
void require_thing(store::Transaction& tx, const std::string& name);
void require_group(store::Transaction& tx, const std::string& name);

}  // namespace andon::control
