// SPDX-License-Identifier: Apache-2.0
// Users, groups, roles, policies and what they may do, put together. Made once by the server; any
// thread may use its parts. The constructor brings the schema up to date, and gives a server that
// has never had any the ready-made roles: whoever of this account may assume them can.
#pragma once

#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/iam/entities.hpp"
#include "control/iam/iam_rules.hpp"
#include "control/iam/oidc_providers.hpp"
#include "control/iam/policies.hpp"
#include "control/iam/principals.hpp"
#include "control/iam/role_aliases.hpp"
#include "control/iam/role_sessions.hpp"
#include "control/identity/access_keys.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct Iam {
  // All are kept by reference and must outlive it. The control plane's tables must be there (tags).
  Iam(store::Database& database, AccessKeys& access_keys, const base::Clock& clock,
      const std::string& account);

  // Once in a database's life: the ready-made roles of services, and those that state machines of
  // an earlier build name, which ran as the account then. Where there is no such role it is made,
  // may do all that the account let them do (AndonOperatorAccess), and is for the operator to
  // narrow; one that is there and does not trust states.amazonaws.com stays as it is and is warned
  // of.
  void begin_service_roles(const std::vector<std::string>& of_machines, base::Timestamp now);

  AccessKeys& keys;
  IamChanges changes;
  Entities entities;
  Policies policies;
  Principals principals;
  RoleSessions roles;
  OidcProviders oidc;
  RoleAliases role_aliases;

 private:
  store::Database& database_;
};

}  // namespace andon::control
