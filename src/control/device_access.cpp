// SPDX-License-Identifier: Apache-2.0
#include "control/device_access.hpp"

#include "control/sql_text.hpp"

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

bool DeviceAccess::may_fetch(const std::string& thing, const std::string& component,
                             const std::string& version) const {
  bool may = false;
  database_.read([&](store::Transaction& tx) {
    may = tx.query_one(
                "SELECT 1 FROM device_components WHERE thing = $1 AND name = $2 "
                "AND version = $3",
                {thing, component, version})
              .has_value();
  });
  return may;
}

bool DeviceAccess::may_fetch_blob(const std::string& thing, const std::string& sha256) const {
  bool may = false;
  database_.read([&](store::Transaction& tx) {
    may = tx.query_one(
                "SELECT 1 FROM device_components g JOIN component_artifacts a "
                "ON a.name = g.name AND a.version = g.version "
                "WHERE g.thing = $1 AND a.sha256 = $2 LIMIT 1",
                {thing, sha256})
              .has_value();
  });
  return may;
}

}  // namespace andon::control
