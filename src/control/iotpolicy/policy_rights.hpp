// SPDX-License-Identifier: Apache-2.0
// Which policies count for whom, and what their keys stand for: within the transaction of who asks.
// Made for one transaction.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/sql/database.hpp"

namespace andon::control {

// What is known of a principal for its policies: keys as policies write them, with their values.
using PolicyFacts = std::map<std::string, std::string>;

class PolicyRights {
 public:
  explicit PolicyRights(store::Transaction& tx) : tx_(tx) {}
  PolicyRights(const PolicyRights&) = delete;
  PolicyRights& operator=(const PolicyRights&) = delete;
  ~PolicyRights() = default;

  // Names, in order, of those that are attached to `principal_key` ("cert/<id>", "consumer/<name>")
  // and to the groups of `thing` and their parents.
  [[nodiscard]] static std::vector<std::string> policies_of(store::Transaction& tx,
                                                            const std::string& principal_key,
                                                            const std::string& thing);
  // Nothing where there are no policies to ask for it. `certificate_pem` is empty for a user.
  [[nodiscard]] PolicyFacts facts_of(const std::vector<std::string>& policies,
                                     const std::string& thing, const std::string& certificate_pem);

  // The certificates that a target of connection_changes stands for.
  [[nodiscard]] static std::vector<std::string> credentials_of(store::Transaction& tx,
                                                               const std::string& target);

 private:
  [[nodiscard]] bool asks_for_certificate(const std::string& policy);

  store::Transaction& tx_;
  std::map<std::string, bool, std::less<>> asks_for_certificate_;  // by policy
};

}  // namespace andon::control
