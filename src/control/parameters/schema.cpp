// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE parameters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: values are sealed with it
  key TEXT NOT NULL UNIQUE,              -- the name without a slash in front
  name TEXT NOT NULL,
  parent TEXT NOT NULL,                  -- key of the level above; empty at the top
  version BIGINT NOT NULL                -- the latest
);
CREATE UNIQUE INDEX parameters_parent ON parameters (parent, key);
CREATE TABLE parameter_versions (
  parameter_id BIGINT NOT NULL REFERENCES parameters (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  type TEXT NOT NULL,                    -- String, StringList, SecureString
  tier TEXT NOT NULL,                    -- Standard, Advanced
  description TEXT NOT NULL,
  allowed_pattern TEXT NOT NULL,
  modified_ms BIGINT NOT NULL,
  modified_by TEXT NOT NULL,             -- an ARN
  sealed BLOB NOT NULL,
  PRIMARY KEY (parameter_id, version)
);
CREATE TABLE parameter_labels (
  parameter_id BIGINT NOT NULL REFERENCES parameters (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (parameter_id, label)
);
CREATE TABLE secrets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  suffix TEXT NOT NULL,                  -- the six letters behind the name in its ARN
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  accessed_ms BIGINT,                    -- the day on which it was last read
  deleted_ms BIGINT,                     -- when its deletion was asked for
  purge_ms BIGINT                        -- when it goes
);
CREATE INDEX secrets_purge ON secrets (purge_ms);
CREATE TABLE secret_versions (
  secret_id BIGINT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  version_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,               -- rises from version to version
  kind TEXT NOT NULL,                    -- string, binary
  created_ms BIGINT NOT NULL,
  accessed_ms BIGINT,
  sealed BLOB NOT NULL,
  PRIMARY KEY (secret_id, version_id)
);
CREATE UNIQUE INDEX secret_versions_ordinal ON secret_versions (secret_id, ordinal);
CREATE TABLE secret_stages (
  secret_id BIGINT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  version_id TEXT NOT NULL,
  PRIMARY KEY (secret_id, stage)
);
CREATE INDEX secret_stages_version ON secret_stages (secret_id, version_id);
)sql";

}  // namespace

void migrate_parameters(store::Database& database) {
  database.migrate("parameters", {{"0001-parameters", kTables}});
}

}  // namespace andon::control
