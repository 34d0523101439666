// SPDX-License-Identifier: Apache-2.0
#include "control/discovery/discovery_schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE client_devices (
  core TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (core, thing)
);
CREATE INDEX client_devices_thing ON client_devices (thing, core);
CREATE TABLE connectivity (
  core TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  endpoints TEXT NOT NULL,       -- JSON: [{"Id", "HostAddress", "PortNumber", "Metadata"}]
  updated_ms BIGINT NOT NULL
);
CREATE TABLE service_role (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  arn TEXT NOT NULL,
  since_ms BIGINT NOT NULL
);
)sql";

// JSON: certificates as PEM.
constexpr std::string_view kAuthorities = R"sql(
CREATE TABLE core_authorities (
  core TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  certificates TEXT NOT NULL,
  updated_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_discovery(store::Database& database) {
  database.migrate("discovery", {{"0001-tables", kTables}, {"0002-authorities", kAuthorities}});
}

}  // namespace andon::control
