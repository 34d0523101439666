// SPDX-License-Identifier: Apache-2.0
// Who may sign requests: long-lived keys of operators, and temporary credentials of devices (with
// session token and expiry). Kept in the database; the constructor brings its schema up to date.
// Any thread; each call is one transaction. Secrets are stored as they are, since SigV4 needs them
// to verify: the database file is readable by its owner only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "store/database.hpp"

namespace andon::control {

inline constexpr std::string_view kOperatorPrincipal = "operator";

struct AccessKey {
  std::string id;  // AKIA... long-lived, ASIA... temporary
  std::string secret;
  std::string principal;  // "operator" or "thing/<name>"
  base::Timestamp created;
  std::string session_token;               // empty for long-lived keys
  std::optional<base::Timestamp> expires;  // set for temporary ones
  bool is_disabled = false;
};

class AccessKeys {
 public:
  AccessKeys(store::Database& database, const base::Clock& clock);

  AccessKey create(const std::string& principal);
  // Throws invalid_argument for a lifetime that is not between a minute and 12 hours.
  AccessKey create_temporary(const std::string& principal, std::chrono::seconds lifetime);
  // Disabled and expired keys too: the caller says why it refuses them.
  [[nodiscard]] std::optional<AccessKey> find(const std::string& id) const;
  // Long-lived keys, oldest first.
  [[nodiscard]] std::vector<AccessKey> list() const;
  void disable(const std::string& id);  // not_found

  // Forgets temporary credentials that expired more than a day ago.
  void sweep();

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
