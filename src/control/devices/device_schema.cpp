// SPDX-License-Identifier: Apache-2.0
#include "control/devices/device_schema.hpp"

namespace andon::control {
namespace {

// Things had types before there were any: each of them is one now.
constexpr std::string_view kTypes = R"sql(
CREATE TABLE thing_types (
  name TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  searchable TEXT NOT NULL,      -- JSON: names of attributes
  deprecated_ms BIGINT,          -- NULL: things may be given it
  created_ms BIGINT NOT NULL
);
INSERT INTO thing_types SELECT type_name, lower(hex(randomblob(16))), '', '[]', NULL,
  MIN(created_ms) FROM things WHERE type_name <> '' GROUP BY type_name;
)sql";

constexpr std::string_view kConnectivity = R"sql(
CREATE TABLE thing_connectivity (
  thing TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  is_connected BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  reason TEXT NOT NULL           -- of the last end; empty while it is connected
);
CREATE INDEX thing_connectivity_connected ON thing_connectivity (thing) WHERE is_connected = 1;
)sql";

constexpr std::string_view kDynamicGroups = R"sql(
ALTER TABLE thing_groups ADD COLUMN query TEXT;     -- NULL: its members are named
ALTER TABLE thing_groups ADD COLUMN built BIGINT NOT NULL DEFAULT 1;  -- 0: members are looked for
ALTER TABLE thing_groups ADD COLUMN build_position TEXT NOT NULL DEFAULT '';
CREATE INDEX thing_groups_dynamic ON thing_groups (name) WHERE query IS NOT NULL;
)sql";

}  // namespace

void migrate_devices(store::Database& database) {
  database.migrate("devices", {{"0001-types", kTypes},
                               {"0002-connectivity", kConnectivity},
                               {"0003-dynamic-groups", kDynamicGroups}});
}

}  // namespace andon::control
