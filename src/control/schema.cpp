// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970. JSON is text. Words of AWS's model are stored as AWS writes
// them (ACTIVE, QUEUED), so that a row reads as the API answers.
#include "control/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kComponents = R"sql(
CREATE TABLE components (
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  recipe TEXT NOT NULL,          -- as it was written
  served_recipe TEXT NOT NULL,   -- canonical JSON for devices
  description TEXT NOT NULL,
  publisher TEXT NOT NULL,
  platforms TEXT NOT NULL,       -- [{"os": ...}], one a manifest
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (name, version)
);
CREATE TABLE component_dependencies (
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  dependency TEXT NOT NULL,
  PRIMARY KEY (name, version, dependency),
  FOREIGN KEY (name, version) REFERENCES components (name, version) ON DELETE CASCADE
);
CREATE TABLE component_artifacts (
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  artifact TEXT NOT NULL,        -- what follows "greengrass:" in the served recipe
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  pinned_key TEXT NOT NULL,      -- in the bucket andon-artifacts
  PRIMARY KEY (name, version, artifact),
  FOREIGN KEY (name, version) REFERENCES components (name, version) ON DELETE CASCADE
);
CREATE INDEX component_artifacts_sha256 ON component_artifacts (sha256);
CREATE TABLE request_tokens (
  operation TEXT NOT NULL,
  token TEXT NOT NULL,
  request_sha256 TEXT NOT NULL,
  result TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (operation, token)
);
CREATE TABLE tags (
  arn TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (arn, tag_key)
);
)sql";

constexpr std::string_view kFleet = R"sql(
CREATE TABLE things (
  name TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  type_name TEXT NOT NULL,
  attributes TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE thing_groups (
  name TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  parent TEXT REFERENCES thing_groups (name),
  description TEXT NOT NULL,
  attributes TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX thing_groups_parent ON thing_groups (parent);
CREATE TABLE thing_group_members (
  group_name TEXT NOT NULL REFERENCES thing_groups (name) ON DELETE CASCADE,
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  PRIMARY KEY (group_name, thing)
);
CREATE INDEX thing_group_members_thing ON thing_group_members (thing);
CREATE TABLE certificates (
  id TEXT NOT NULL PRIMARY KEY,  -- SHA-256 of the DER, hex
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  pem TEXT NOT NULL,
  status TEXT NOT NULL,          -- ACTIVE, INACTIVE, REVOKED
  created_ms BIGINT NOT NULL,
  not_after_ms BIGINT NOT NULL
);
CREATE INDEX certificates_thing ON certificates (thing);
CREATE TABLE enrolment_tokens (
  secret_sha256 TEXT NOT NULL PRIMARY KEY,
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  expires_ms BIGINT NOT NULL,
  public_key_sha256 TEXT         -- of the device that used it; NULL: nobody yet
);
CREATE TABLE core_devices (
  thing TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  core_version TEXT NOT NULL,
  platform TEXT NOT NULL,
  architecture TEXT NOT NULL,
  runtime TEXT NOT NULL,
  status TEXT NOT NULL,          -- HEALTHY, UNHEALTHY
  sequence_number BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  message_ms BIGINT NOT NULL,    -- the device's clock
  updated_ms BIGINT NOT NULL     -- ours
);
CREATE TABLE installed_components (
  thing TEXT NOT NULL REFERENCES core_devices (thing) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  state TEXT NOT NULL,
  details TEXT NOT NULL,
  status_codes TEXT NOT NULL,
  is_root BIGINT NOT NULL,
  installed_by TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  reported_ms BIGINT NOT NULL,
  PRIMARY KEY (thing, name)
);
)sql";

constexpr std::string_view kDeployments = R"sql(
CREATE TABLE deployments (
  id TEXT NOT NULL PRIMARY KEY,
  target TEXT NOT NULL,          -- thing/<name> or thinggroup/<name>
  revision BIGINT NOT NULL,
  name TEXT NOT NULL,
  parent_target_arn TEXT NOT NULL,
  state TEXT NOT NULL,           -- CURRENT, CANCELED, INACTIVE
  request TEXT NOT NULL,
  document TEXT NOT NULL,        -- what devices get
  timeout_ms BIGINT,             -- for one device, in progress
  created_ms BIGINT NOT NULL,
  UNIQUE (target, revision)
);
CREATE TABLE deployment_targets (
  target TEXT NOT NULL PRIMARY KEY,
  last_revision BIGINT NOT NULL  -- never given twice, also after DeleteDeployment
);
CREATE TABLE deployment_components (
  deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,         -- as in the request: may be a range
  PRIMARY KEY (deployment_id, name)
);
CREATE TABLE job_executions (
  job_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  status TEXT NOT NULL,
  status_details TEXT NOT NULL,
  version BIGINT NOT NULL,
  execution_number BIGINT NOT NULL,
  queued_ms BIGINT NOT NULL,
  started_ms BIGINT,
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (job_id, thing)
);
CREATE INDEX job_executions_thing ON job_executions (thing, status);
CREATE TABLE deployment_shadows (
  thing TEXT NOT NULL PRIMARY KEY REFERENCES things (name) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  desired TEXT NOT NULL,
  reported TEXT NOT NULL,
  updated_ms BIGINT NOT NULL
);
CREATE TABLE device_components (
  thing TEXT NOT NULL REFERENCES things (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  granted_ms BIGINT NOT NULL,
  PRIMARY KEY (thing, name, version)
);
)sql";

}  // namespace

void migrate_schema(store::Database& database) {
  database.migrate("control", {
                                  {"0001-components", kComponents},
                                  {"0002-fleet", kFleet},
                                  {"0003-deployments", kDeployments},
                              });
}

}  // namespace andon::control
