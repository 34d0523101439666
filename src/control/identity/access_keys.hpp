// SPDX-License-Identifier: Apache-2.0
// Who may sign requests: long-lived keys of the account and its users, and temporary credentials of
// devices and of sessions (with session token and expiry). Kept in the database; the constructor
// brings its schema up to date. Any thread; each call is one transaction. Secrets are stored as
// they are, since SigV4 needs them to verify: the database file is readable by its owner only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

inline constexpr std::string_view kOperatorPrincipal = "operator";

struct AccessKey {
  std::string id;  // AKIA... long-lived, ASIA... temporary
  std::string secret;
  std::string principal;  // "operator", "thing/<name>"; control/iam/principals.hpp has the others
  base::Timestamp created;
  std::string session_token;               // empty for long-lived keys
  std::optional<base::Timestamp> expires;  // set for temporary ones
  bool is_disabled = false;
  std::string certificate;     // id of the certificate that it was given for; empty: none
  std::string session_policy;  // allows no more than this policy document; empty: none
};

class AccessKeys {
 public:
  AccessKeys(store::Database& database, const base::Clock& clock);

  AccessKey create(const std::string& principal);
  // Throws invalid_argument for a lifetime that is not between a minute and 12 hours.
  AccessKey create_temporary(const std::string& principal, std::chrono::seconds lifetime,
                             const std::string& certificate = {});
  // Disabled and expired keys too: the caller says why it refuses them.
  [[nodiscard]] std::optional<AccessKey> find(const std::string& id) const;
  // Long-lived keys, oldest first; at most 1000.
  [[nodiscard]] std::vector<AccessKey> list() const;
  void disable(const std::string& id);  // not_found

  // The long-lived keys of one principal, oldest first.
  [[nodiscard]] std::vector<AccessKey> list_of(const std::string& principal) const;
  // One more for `principal`. Throws resource_exhausted where it has `most` of them.
  AccessKey create_limited(const std::string& principal, std::int64_t most);
  // Of this principal only: not_found else.
  void set_disabled(const std::string& principal, const std::string& id, bool is_disabled);
  void remove(const std::string& principal, const std::string& id);
  // Temporary credentials of a user or role, from a minute to 36 hours (invalid_argument). They end
  // with the device's certificate that they were given for; empty: none.
  AccessKey create_session(const std::string& principal, std::chrono::seconds lifetime,
                           const std::string& session_policy, const std::string& certificate = {});

  // Forgets up to `limit` temporary credentials that expired more than a day ago; answers how many.
  std::int64_t remove_expired(std::int64_t limit);

 private:
  [[nodiscard]] AccessKey make_temporary(const std::string& principal,
                                         std::chrono::seconds lifetime) const;

  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
