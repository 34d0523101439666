// SPDX-License-Identifier: Apache-2.0
#include "control/iam/iam.hpp"

#include <optional>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "control/iam/iam_schema.hpp"
#include "control/iam/ready_made.hpp"
#include "control/passwords/schema.hpp"
#include "control/shared/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

store::Database& migrated(store::Database& database) {
  migrate_schema(database);
  migrate_iam(database);
  migrate_passwords(database);  // who has one is not deleted
  return database;
}

void begin(store::Database& database, Entities& entities, base::Timestamp now,
           const std::string& account) {
  const std::string trust =
      R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": )"
      R"({"AWS": "arn:aws:iam::)" +
      account + R"(:root"}, "Action": "sts:AssumeRole"}]})";
  database.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM iam_begun")) return;
    for (const ReadyMade& ready : ready_made()) {
      if (!ready.service.empty()) continue;
      const Entity role = entities.insert(tx, {.kind = EntityKind::role,
                                               .name = std::string(ready.role),
                                               .description = std::string(ready.description),
                                               .trust = trust});
      Policies::attach(tx, role.id, ready.arn());
    }
    tx.execute("INSERT INTO iam_begun (begun_ms) VALUES ($1)", {to_stored(now)});
  });
}

std::string trust_of_service(std::string_view service) {
  return R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": )"
         R"({"Service": ")" +
         std::string(service) + R"("}, "Action": "sts:AssumeRole"}]})";
}

// The role that `arn` names, where it is one that can be made here and is not there yet.
std::optional<NewEntity> missing_role(store::Transaction& tx, const Entities& entities,
                                      const std::string& arn) {
  const std::string prefix = "arn:aws:iam::" + entities.account() + ":role";
  const std::string own = own_role_arn(arn, entities.account());
  if (!own.starts_with(prefix + "/")) return std::nullopt;
  const std::string rest = own.substr(prefix.size());
  const std::size_t slash = rest.rfind('/');
  NewEntity role{.kind = EntityKind::role,
                 .name = rest.substr(slash + 1),
                 .path = rest.substr(0, slash + 1),
                 .description = "Made for state machines of an earlier build, which named it.",
                 .trust = trust_of_service(kStatesService)};
  if (entities.find(tx, EntityKind::role, role.name)) return std::nullopt;
  return role;
}

}  // namespace

void Iam::begin_service_roles(const std::vector<std::string>& of_machines, base::Timestamp now) {
  bool is_first = false;
  database_.write([&](store::Transaction& tx) {
    is_first = !tx.query_one("SELECT 1 FROM iam_service_roles_begun");
    if (!is_first) return;
    for (const std::string& arn : of_machines) {
      const auto role = missing_role(tx, entities, arn);
      if (!role) continue;
      try {
        Policies::attach(tx, entities.insert(tx, *role).id,
                         find_ready_made("arn:aws:iam::aws:policy/AndonOperatorAccess")->arn());
        base::log_warning(
            "a role was made that state machines of an earlier build name: it may do "
            "what they could until now; narrow it",
            {{"role", arn}});
      } catch (const base::Error& error) {
        base::log_warning("calls of state machines with this role are denied from now on",
                          {{"role", arn}, {"reason", error.message()}});
      }
    }
    for (const ReadyMade& ready : ready_made()) {
      if (ready.service.empty() || entities.find(tx, EntityKind::role, std::string(ready.role))) {
        continue;
      }
      const Entity role = entities.insert(tx, {.kind = EntityKind::role,
                                               .name = std::string(ready.role),
                                               .description = std::string(ready.description),
                                               .trust = trust_of_service(ready.service)});
      Policies::attach(tx, role.id, ready.arn());
    }
    tx.execute("INSERT INTO iam_service_roles_begun (begun_ms) VALUES ($1)", {to_stored(now)});
  });
  if (!is_first) return;
  changes.happened();
  for (const std::string& arn : of_machines) {
    try {
      (void)roles.take({.role_arn = arn, .session = "start", .service = kStatesService});
    } catch (const base::Error& error) {
      base::log_warning("calls of state machines with this role are denied from now on",
                        {{"role", arn}, {"reason", error.message()}});
    }
  }
}

Iam::Iam(store::Database& database, AccessKeys& access_keys, const base::Clock& clock,
         const std::string& account)
    : keys(access_keys),
      entities(migrated(database), clock, account, changes),
      policies(database, clock, entities, changes),
      principals(database, entities, changes),
      roles(entities, changes, access_keys),
      oidc(database, clock, account),
      role_aliases(database, clock),
      database_(database) {
  begin(database, entities, clock.now(), account);
}

}  // namespace andon::control
