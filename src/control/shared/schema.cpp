// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970. JSON is text. Words of AWS's model are stored as AWS writes
// them (ACTIVE, QUEUED), so that a row reads as the API answers.
#include "control/shared/schema.hpp"

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

// Read and emptied by ConnectionRights; rows are few and short-lived.
constexpr std::string_view kConnectionChanges = R"sql(
CREATE TABLE connection_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  certificate TEXT,
  thing TEXT
);
CREATE TRIGGER certificate_made AFTER INSERT ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.id);
END;
CREATE TRIGGER certificate_changed AFTER UPDATE ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.id);
END;
CREATE TRIGGER certificate_deleted AFTER DELETE ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (OLD.id);
END;
CREATE TRIGGER thing_made AFTER INSERT ON things BEGIN
  INSERT INTO connection_changes (thing) VALUES (NEW.name);
END;
CREATE TRIGGER thing_deleted AFTER DELETE ON things BEGIN
  INSERT INTO connection_changes (thing) VALUES (OLD.name);
END;
)sql";

// The certificate that a token was used for, and when: a device that lost the answer gets the same.
constexpr std::string_view kUsedTokens = R"sql(
ALTER TABLE enrolment_tokens ADD COLUMN certificate TEXT;
ALTER TABLE enrolment_tokens ADD COLUMN used_ms BIGINT;
)sql";

// Every question that is asked often finds its rows by an index (query_plans_test.cpp holds it),
// and what happens to many devices is done in steps: `rollouts` is what is still to be done,
// `outbox` what is still to be told.
constexpr std::string_view kGrowth = R"sql(
CREATE INDEX job_executions_job_status ON job_executions (job_id, status);
CREATE INDEX job_executions_pending ON job_executions (thing)
  WHERE status IN ('IN_PROGRESS', 'QUEUED');
CREATE INDEX job_executions_started ON job_executions (started_ms) WHERE status = 'IN_PROGRESS';
ALTER TABLE deployments ADD COLUMN is_latest BIGINT NOT NULL DEFAULT 0;  -- of its target
ALTER TABLE deployments ADD COLUMN ended_ms BIGINT;  -- NULL while CURRENT
UPDATE deployments SET is_latest = 1 WHERE revision =
  (SELECT MAX(o.revision) FROM deployments o WHERE o.target = deployments.target);
UPDATE deployments SET ended_ms = created_ms WHERE state <> 'CURRENT';
CREATE INDEX deployments_created ON deployments (created_ms, id);
CREATE INDEX deployments_latest ON deployments (created_ms, id) WHERE is_latest = 1;
CREATE INDEX deployments_target ON deployments (target, created_ms, id);
CREATE INDEX deployments_parent ON deployments (parent_target_arn, created_ms, id);
CREATE INDEX deployments_state ON deployments (state, target);
CREATE INDEX deployments_ended ON deployments (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE INDEX deployment_components_name ON deployment_components (name, version);
CREATE INDEX request_tokens_created ON request_tokens (created_ms);
CREATE INDEX enrolment_tokens_expires ON enrolment_tokens (expires_ms);
CREATE INDEX enrolment_tokens_thing ON enrolment_tokens (thing);
CREATE INDEX core_devices_status ON core_devices (status, thing);
CREATE INDEX core_devices_runtime ON core_devices (runtime, thing);
CREATE INDEX device_components_version ON device_components (name, version);
CREATE INDEX things_type ON things (type_name, name);
CREATE INDEX component_artifacts_pinned ON component_artifacts (pinned_key);
CREATE TABLE rollouts (
  deployment_id TEXT NOT NULL PRIMARY KEY REFERENCES deployments (id) ON DELETE CASCADE,
  position TEXT NOT NULL,        -- the last thing that has got it
  reason TEXT NOT NULL           -- why devices stop, once the deployment is no longer CURRENT
);
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE outbox_cursors (
  consumer TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL       -- the id of the last row that it has acted on
);
)sql";

// A certificate may be attached to no thing, and a thing that has one cannot be deleted. `replaces`
// is the certificate that this one renews.
constexpr std::string_view kPrincipals = R"sql(
CREATE TABLE principals (
  id TEXT NOT NULL PRIMARY KEY,  -- SHA-256 of the DER, hex
  thing TEXT REFERENCES things (name),
  pem TEXT NOT NULL,
  status TEXT NOT NULL,          -- ACTIVE, INACTIVE, REVOKED
  created_ms BIGINT NOT NULL,
  not_after_ms BIGINT NOT NULL,
  replaces TEXT
);
INSERT INTO principals SELECT id, thing, pem, status, created_ms, not_after_ms, NULL
  FROM certificates;
DROP TABLE certificates;
ALTER TABLE principals RENAME TO certificates;
CREATE INDEX certificates_thing ON certificates (thing, created_ms, id);
CREATE INDEX certificates_created ON certificates (created_ms, id);
CREATE INDEX certificates_ends ON certificates (not_after_ms);
CREATE UNIQUE INDEX certificates_replaces ON certificates (replaces) WHERE replaces IS NOT NULL;
CREATE TRIGGER certificate_made AFTER INSERT ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.id);
END;
CREATE TRIGGER certificate_changed AFTER UPDATE ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (NEW.id);
END;
CREATE TRIGGER certificate_deleted AFTER DELETE ON certificates BEGIN
  INSERT INTO connection_changes (certificate) VALUES (OLD.id);
END;
)sql";

constexpr std::string_view kConnections = R"sql(
CREATE TABLE connections (
  name TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  type TEXT NOT NULL,            -- BASIC, API_KEY
  sealed BLOB NOT NULL,          -- AuthParameters
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  authorized_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_schema(store::Database& database) {
  database.migrate("control", {
                                  {"0001-components", kComponents},
                                  {"0002-fleet", kFleet},
                                  {"0003-deployments", kDeployments},
                                  {"0004-connection-changes", kConnectionChanges},
                                  {"0005-used-tokens", kUsedTokens},
                                  {"0006-growth", kGrowth},
                                  {"0007-principals", kPrincipals},
                                  {"0008-connections", kConnections},
                              });
}

}  // namespace andon::control
