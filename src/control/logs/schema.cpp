// SPDX-License-Identifier: Apache-2.0
#include "control/logs/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kLogs = R"sql(
CREATE TABLE log_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice
  name TEXT NOT NULL UNIQUE,
  class TEXT NOT NULL,
  retention_days BIGINT,
  created_ms BIGINT NOT NULL,
  bytes BIGINT NOT NULL                   -- of its events, as AWS counts them
);
CREATE INDEX log_groups_bytes ON log_groups (bytes);
CREATE TABLE log_streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  last_ms BIGINT NOT NULL,                -- time of its newest event; 0: it had none
  ingested_ms BIGINT NOT NULL             -- when it was last written to; 0: never
);
CREATE UNIQUE INDEX log_streams_name ON log_streams (group_id, name);
CREATE INDEX log_streams_last ON log_streams (group_id, last_ms, name);
CREATE TABLE log_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id BIGINT NOT NULL,
  stream_id BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  ingested_ms BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX log_events_group ON log_events (group_id, time_ms, id);
CREATE INDEX log_events_stream ON log_events (stream_id, time_ms, id);
CREATE TABLE log_tags (
  group_id BIGINT NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (group_id, tag_key)
);
CREATE TABLE log_totals (
  id BIGINT NOT NULL PRIMARY KEY,         -- one row
  bytes BIGINT NOT NULL
);
INSERT INTO log_totals (id, bytes) VALUES (1, 0);
-- Groups and streams that were deleted, whose events go step by step.
CREATE TABLE log_remains (
  kind TEXT NOT NULL,                     -- group, stream
  id BIGINT NOT NULL,
  PRIMARY KEY (kind, id)
);
)sql";

}  // namespace

void migrate_log_schema(store::Database& database) {
  database.migrate("logs", {{"0001-logs", kLogs}});
}

}  // namespace andon::control
