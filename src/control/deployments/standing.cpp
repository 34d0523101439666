// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/standing.hpp"

#include <algorithm>

#include "control/shared/arn.hpp"
#include "control/shared/membership.hpp"

namespace andon::control {

Standing::Standing(store::Transaction& tx, const std::string& behalf) : behalf_(behalf) {
  for (const store::Row& row :
       tx.query("SELECT id, target FROM deployments WHERE behalf = $1 AND state = 'CURRENT' "
                "ORDER BY created_ms DESC, id DESC",
                {behalf})) {
    newest_first_.push_back({row.text(0), row.text(1)});
  }
}

std::string Standing::choose(const std::set<std::string>& groups) const {
  if (!groups.contains(behalf_)) return {};
  const auto found = std::ranges::find_if(
      newest_first_, [&](const One& one) { return groups.contains(one.target); });
  return found == newest_first_.end() ? std::string() : found->id;
}

bool Standing::is_for(store::Transaction& tx, const std::string& deployment_id,
                      const std::string& thing) const {
  // The usual case: nothing but the target's own deployment.
  if (newest_first_.size() == 1 && newest_first_.front().target == behalf_) return true;
  return choose(group_keys_of(tx, thing)) == deployment_id;
}

std::set<std::string> group_keys_of(store::Transaction& tx, const std::string& thing) {
  std::set<std::string> keys;
  for (const std::string& group : groups_reaching(tx, thing)) {
    keys.insert(Target{Target::Kind::thing_group, group}.key());
  }
  return keys;
}

}  // namespace andon::control
