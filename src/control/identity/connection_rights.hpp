// SPDX-License-Identifier: Apache-2.0
// Which certificates may be used now: the one answer for everybody who lets a device in, which are
// the device plane, the temporary keys that a device was given, the broker, and who acts on a
// device's messages. A certificate may while it is registered, ACTIVE, attached to a thing and not
// over; at the broker also one of no thing to which an IoT policy is attached, and a user among the
// consumers. Changes are noted by the database itself (triggers), in the transaction that makes
// them, so that no way to change a certificate or a thing is forgotten; the broker's view is fed
// from them. Any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/iotpolicy/policy_rights.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class ConnectionRights {
 public:
  ConnectionRights(store::Database& database, const base::Clock& clock);

  struct Verdict {
    bool may = false;
    std::string thing;  // whose it is, where it may
    std::string why;    // for people, where it may not
  };
  [[nodiscard]] Verdict may(const std::string& certificate_id) const;
  // The thing of a certificate that TLS has verified. Throws permission_denied where it may not.
  [[nodiscard]] std::string authenticate(const std::string& certificate_pem) const;
  // Has the thing a certificate that may? For what does not tell which one it came by.
  [[nodiscard]] bool may_thing(const std::string& thing) const;

  struct Certificate {
    std::string id;     // SHA-256 of the DER, lower-case hex; of a user Consumer::credential
    std::string thing;  // empty: of no thing
    bool may = false;
    std::string name = {};                   // of who has no thing: the consumer's, or the id
    std::vector<std::string> policies = {};  // that count for it
    PolicyFacts facts = {};
    std::string claim = {};  // the provisioning template that it is a claim for; else empty
  };
  struct Policy {
    std::string name;
    std::string document;  // of the default version; empty: there is no such policy
  };
  struct Thing {
    std::string name;
    bool exists = false;
  };
  struct State {
    std::vector<Policy> policies;
    std::vector<Certificate> certificates;
    std::vector<Thing> things;
  };

  // What the broker knows of a certificate, or of a user; nothing where it is INACTIVE, REVOKED,
  // over or not there. `may` is false where it is of no thing and has no policy.
  [[nodiscard]] std::optional<Certificate> at_broker(const std::string& credential) const;
  // What the keys of these policies would stand for.
  [[nodiscard]] PolicyFacts facts_for(const std::vector<std::string>& policies,
                                      const std::string& thing,
                                      const std::string& certificate_pem) const;

  // All that may and all things, and forgets the changes so far: they are in it.
  [[nodiscard]] State read_all();
  // What is true now of everything that changed since the last call, at most about `limit` of them;
  // empty when nothing did. A certificate that has run out meanwhile is a change.
  [[nodiscard]] State take_changes(std::size_t limit);

 private:
  [[nodiscard]] std::vector<std::string> ended_since_last_look(store::Transaction& tx,
                                                               base::Timestamp now);

  store::Database& database_;
  const base::Clock& clock_;
  std::mutex mutex_;
  base::Timestamp looked_;  // guarded by mutex_; for certificates that run out
};

}  // namespace andon::control
