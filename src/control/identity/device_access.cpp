// SPDX-License-Identifier: Apache-2.0
#include "control/identity/device_access.hpp"

#include "control/shared/sql_text.hpp"

namespace andon::control {

bool DeviceAccess::may_resolve(const std::string& thing, const std::string& component) const {
  bool may = false;
  database_.read([&](store::Transaction& tx) {
    // From the roots of every deployment that was for this device, and what it was handed before
    // (it asks again for what an older deployment, deleted here since, left installed), down
    // through what any version of them depends on. By names only: which version it will be is
    // what the device asks.
    may = tx.query_one(
                "WITH RECURSIVE reachable (name) AS ("
                "  SELECT c.name FROM deployment_components c "
                "  JOIN job_executions j ON j.job_id = c.deployment_id "
                "  WHERE j.thing = $1 AND (j.status <> 'CANCELED' OR j.started_ms IS NOT NULL) "
                "  UNION SELECT name FROM device_components WHERE thing = $1 "
                "  UNION SELECT p.dependency FROM component_dependencies p "
                "  JOIN reachable r ON p.name = r.name) "
                "SELECT 1 FROM reachable WHERE name = $2 LIMIT 1",
                {thing, component})
              .has_value();
  });
  return may;
}

void DeviceAccess::grant(const std::string& thing, const std::string& component,
                         const std::string& version) {
  if (may_fetch(thing, component, version)) return;
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO device_components (thing, name, version, granted_ms) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (thing, name, version) DO NOTHING",
        {thing, component, version, to_stored(clock_.now())});
  });
}

std::int64_t DeviceAccess::remove_useless(std::int64_t limit) {
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    // From version to version along the index, however many devices have each of them.
    const auto gone = tx.query_one(
        "WITH RECURSIVE granted (name, version) AS ("
        "  SELECT * FROM (SELECT name, version FROM device_components "
        "    ORDER BY name, version LIMIT 1)"
        "  UNION ALL SELECT n.name, n.version FROM granted g JOIN device_components n ON n.rowid = "
        "    (SELECT o.rowid FROM device_components o "
        "     WHERE (o.name, o.version) > (g.name, g.version) ORDER BY o.name, o.version LIMIT 1)) "
        "SELECT name, version FROM granted WHERE NOT EXISTS (SELECT 1 FROM components c "
        "WHERE c.name = granted.name AND c.version = granted.version) LIMIT 1");
    if (!gone) return;
    removed = tx.execute(
        "DELETE FROM device_components WHERE rowid IN "
        "(SELECT rowid FROM device_components WHERE name = $1 AND version = $2 LIMIT $3)",
        {gone->text(0), gone->text(1), limit});
  });
  return removed;
}

bool DeviceAccess::may_fetch(const std::string& thing, const std::string& component,
                             const std::string& version) const {
  return database_.read([&](store::Transaction& tx) {
    return tx
        .query_one(
            "SELECT 1 FROM device_components WHERE thing = $1 AND name = $2 "
            "AND version = $3",
            {thing, component, version})
        .has_value();
  });
}

bool DeviceAccess::may_fetch_blob(const std::string& thing, const std::string& sha256) const {
  return database_.read([&](store::Transaction& tx) {
    return tx
        .query_one(
            "SELECT 1 FROM device_components g JOIN component_artifacts a "
            "ON a.name = g.name AND a.version = g.version "
            "WHERE g.thing = $1 AND a.sha256 = $2 LIMIT 1",
            {thing, sha256})
        .has_value();
  });
}

}  // namespace andon::control
