// SPDX-License-Identifier: Apache-2.0
// Which deployment stands for a thing, where a group's deployment has sub-deployments: each of
// those is for a group of its own, but only for things that are in the parent's group, too, and
// takes the place of the parent's deployment there. A newer revision of the parent ends them all,
// so the newest that is CURRENT stands. Within the caller's transaction.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "store/sql/database.hpp"

namespace andon::control {

class Standing {
 public:
  // `behalf` is the key of the target that they are for: its own, or the parent's.
  Standing(store::Transaction& tx, const std::string& behalf);

  // Which of them `thing` is to have, of whose groups these are the keys; empty: none.
  [[nodiscard]] std::string choose(const std::set<std::string>& groups) const;
  [[nodiscard]] bool is_for(store::Transaction& tx, const std::string& deployment_id,
                            const std::string& thing) const;

 private:
  struct One {
    std::string id;
    std::string target;
  };
  std::string behalf_;
  std::vector<One> newest_first_;
};

// "thinggroup/<name>" of each group that `thing` is in, also through a child.
[[nodiscard]] std::set<std::string> group_keys_of(store::Transaction& tx, const std::string& thing);

}  // namespace andon::control
