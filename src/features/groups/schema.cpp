// SPDX-License-Identifier: Apache-2.0
#include "features/groups/schema.hpp"

namespace andon::features {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE fs_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  status BIGINT NOT NULL,
  failure TEXT NOT NULL,
  request TEXT NOT NULL,               -- JSON, without the features
  offline_id BIGINT NOT NULL,          -- 0: none
  online_bytes BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
CREATE INDEX fs_groups_open ON fs_groups (id) WHERE status IN (0, 3);
CREATE TABLE fs_features (
  group_id BIGINT NOT NULL REFERENCES fs_groups (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  parameters TEXT NOT NULL,            -- JSON
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  PRIMARY KEY (group_id, position)
);
CREATE TABLE fs_online (
  id INTEGER PRIMARY KEY,
  group_id BIGINT NOT NULL,
  record TEXT NOT NULL,                -- the value of its identifier
  event_us BIGINT NOT NULL,
  content TEXT NOT NULL,               -- JSON: feature -> text
  is_deleted BIGINT NOT NULL,
  expires_ms BIGINT,
  bytes BIGINT NOT NULL
);
CREATE UNIQUE INDEX fs_online_record ON fs_online (group_id, record);
CREATE INDEX fs_online_expires ON fs_online (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE TABLE fs_tables (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id BIGINT NOT NULL,            -- 0: the group is gone
  group_name TEXT NOT NULL,
  database_name TEXT NOT NULL,
  name TEXT NOT NULL,
  location TEXT NOT NULL,
  role TEXT NOT NULL,
  columns TEXT NOT NULL,               -- JSON: [[name, type]]
  is_listed BIGINT NOT NULL,           -- in the catalog
  last_row BIGINT NOT NULL,
  last_write_ms BIGINT NOT NULL,       -- of the last row
  exported_row BIGINT NOT NULL,        -- up to it all is in the object store
  exporting_row BIGINT NOT NULL,       -- up to it the object that is being written goes
  export_problem TEXT NOT NULL,
  next_export_ms BIGINT NOT NULL,      -- after a problem
  bytes BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX fs_tables_name ON fs_tables (name) WHERE is_listed = 1;
CREATE INDEX fs_tables_waiting ON fs_tables (id) WHERE last_row > exported_row;
CREATE TABLE fs_totals (
  id BIGINT NOT NULL PRIMARY KEY,      -- one row
  bytes BIGINT NOT NULL
);
INSERT INTO fs_totals (id, bytes) VALUES (1, 0);
)sql";

constexpr std::string_view kQueries = R"sql(
CREATE TABLE fs_queries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  request TEXT NOT NULL,               -- JSON: as it was asked for
  token TEXT,
  tables TEXT NOT NULL,                -- JSON: ids of the offline tables that it may see
  denied TEXT NOT NULL,                -- JSON: table -> why it may not
  bucket TEXT NOT NULL,
  object TEXT NOT NULL,                -- the key of its result
  etag TEXT NOT NULL,
  columns TEXT NOT NULL,               -- JSON: [[name, type]]
  reason TEXT NOT NULL,
  error_category BIGINT NOT NULL,      -- 0: no error
  submitted_ms BIGINT NOT NULL,
  started_ms BIGINT,
  completed_ms BIGINT,
  scanned_bytes BIGINT NOT NULL
);
CREATE UNIQUE INDEX fs_queries_token ON fs_queries (token) WHERE token IS NOT NULL;
CREATE INDEX fs_queries_open ON fs_queries (number) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX fs_queries_submitted ON fs_queries (submitted_ms);
)sql";

}  // namespace

void migrate_features(store::Database& database) {
  database.migrate("features", {{"0001-features", kTables}, {"0002-queries", kQueries}});
}

std::string offline_table(std::int64_t id) {
  return "offline_" + std::to_string(id);
}

std::string offline_column(std::size_t position) {
  return "c" + std::to_string(position);
}

std::string_view column_type(FeatureType type) {
  switch (type) {
    case FeatureType::integral:
      return "BIGINT";
    case FeatureType::fractional:
      return "DOUBLE";
    case FeatureType::text:
      break;
  }
  return "TEXT";
}

}  // namespace andon::features
