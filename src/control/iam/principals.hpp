// SPDX-License-Identifier: Apache-2.0
// Who asks, and what they may. A principal is what an access key was made for:
//   operator                   the account itself, which may do everything (the operator's key)
//   user/<id>                  a user
//   role/<id>/<session name>   a session of a role
//   thing/<name>               a device: what it may is wired in elsewhere
// What users and roles may is worked out of the tables once and kept until something of IAM
// changes, so a change counts for the next request. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/iam/entities.hpp"
#include "control/iam/iam_rules.hpp"
#include "policy/decision/decision.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// One of the account, as conditions and messages know it.
struct Principal {
  enum class Kind : std::uint8_t { account, user, role_session };
  Kind kind = Kind::account;
  std::string arn;      // arn:aws:iam::...:user/eva, arn:aws:sts::...:assumed-role/deployer/eva
  std::string user_id;  // AIDA..., AROA...:session; the account
  std::string name;     // of the user or role; empty for the account
  Entity entity;        // the user or role
};

// What a principal has: shared by its sessions.
struct Grants {
  Entity entity;
  std::map<std::string, std::string> tags;
  policy::PolicySet policies;  // its own, and its groups'
};

struct Ruling {
  enum class By : std::uint8_t {
    account,   // the account itself may do everything
    identity,  // the principal's own policies
    session,   // the policy that its session was begun with
    nobody,    // no such principal, or one that this is not for
  };
  By by = By::nobody;
  policy::Decision decision;

  [[nodiscard]] bool is_allowed() const { return decision.is_allowed(); }
};
// "because no identity-based policy allows the s3:GetObject action", "with an explicit deny in an
// identity-based policy".
[[nodiscard]] std::string explain(const Ruling& ruling, std::string_view action);

class Principals {
 public:
  Principals(store::Database& database, const Entities& entities, const IamChanges& changes);

  // Nothing for one that is gone, and for a device.
  [[nodiscard]] std::optional<Principal> find(std::string_view principal) const;

  // `session_policy` is a policy document that allows no more than itself; empty: none. Conditions
  // find the principal's own keys beside those of `context`.
  [[nodiscard]] Ruling decide(std::string_view principal, const std::string& session_policy,
                              std::string_view action, std::string_view resource,
                              policy::Context context) const;

  // For simulations: what a user, group or role has, and further policies.
  [[nodiscard]] policy::PolicySet policies_of(
      const Entity& entity, const std::vector<std::string>& further_documents) const;
  // Conditions' keys of a principal: aws:username, aws:PrincipalArn ...
  void add_keys(const Principal& principal, const std::map<std::string, std::string>& tags,
                policy::Context& context) const;
  void add_keys(std::string_view principal, policy::Context& context) const;

  static constexpr std::string_view kUserPrefix = "user/";
  static constexpr std::string_view kRolePrefix = "role/";

 private:
  struct Kept {
    std::uint64_t as_of = 0;
    std::shared_ptr<const Grants> grants;  // null: there is no such user or role
  };
  // Of "user/<id>" and "role/<id>".
  [[nodiscard]] std::shared_ptr<const Grants> grants_of(std::string_view id) const;
  [[nodiscard]] std::shared_ptr<const Grants> read_grants(const std::string& id) const;
  [[nodiscard]] std::vector<std::shared_ptr<const policy::NamedPolicy>> read_policies(
      store::Transaction& tx, const Entity& entity) const;
  [[nodiscard]] std::shared_ptr<const policy::Document> compiled(const std::string& text) const;
  [[nodiscard]] Principal as_principal(const Grants& grants, std::string_view session) const;

  store::Database& database_;
  const Entities& entities_;
  const IamChanges& changes_;
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<std::string, Kept> kept_;  // by id
  // By their text.
  mutable std::unordered_map<std::string, std::shared_ptr<const policy::Document>> documents_;
  mutable std::size_t document_bytes_ = 0;
};

}  // namespace andon::control
