// SPDX-License-Identifier: Apache-2.0
// Who belongs to which thing group, parents included: a member of a group is a member of the
// group's ancestors too. Within the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "control/arn.hpp"
#include "store/database.hpp"

namespace andon::control {

// Of the group and of all groups below it; by name.
[[nodiscard]] std::vector<std::string> members_of(store::Transaction& tx, const std::string& group);
// From the root down to the parent of `group`.
[[nodiscard]] std::vector<std::string> ancestors_of(store::Transaction& tx,
                                                    const std::string& group);
// The group itself and everything below it.
[[nodiscard]] std::vector<std::string> subtree_of(store::Transaction& tx, const std::string& group);
// Every group that `thing` belongs to, ancestors included; by name.
[[nodiscard]] std::vector<std::string> groups_reaching(store::Transaction& tx,
                                                       const std::string& thing);
// The things that a deployment to `target` is for.
[[nodiscard]] std::vector<std::string> things_of(store::Transaction& tx, const Target& target);

[[nodiscard]] bool has_thing(store::Transaction& tx, const std::string& name);
[[nodiscard]] bool has_group(store::Transaction& tx, const std::string& name);
// Throw not_found.
void require_thing(store::Transaction& tx, const std::string& name);
void require_group(store::Transaction& tx, const std::string& name);

}  // namespace andon::control
