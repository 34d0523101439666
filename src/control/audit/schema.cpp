// SPDX-License-Identifier: Apache-2.0
#include "control/audit/schema.hpp"

namespace andon::control {
namespace {

// What stands beside `content` repeats parts of it, for the indices; who verifies compares both.
constexpr std::string_view kAudit = R"sql(
CREATE TABLE audit_entries (
  sequence INTEGER PRIMARY KEY,           -- without a gap
  time_ms BIGINT NOT NULL,
  operation TEXT NOT NULL,
  content TEXT NOT NULL,                  -- JSON, which the hash covers
  hash TEXT NOT NULL                      -- hex SHA-256 over the hash before and the content
);
CREATE INDEX audit_entries_time ON audit_entries (time_ms);
CREATE INDEX audit_entries_operation ON audit_entries (operation, time_ms);
CREATE TABLE audit_resources (
  resource TEXT NOT NULL,
  time_ms BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (resource, time_ms, sequence)
) WITHOUT ROWID;
CREATE INDEX audit_resources_sequence ON audit_resources (sequence);
-- Between which hashes the entries stand, signed with the server's key.
CREATE TABLE audit_head (
  id BIGINT NOT NULL PRIMARY KEY,         -- one row
  first_sequence BIGINT NOT NULL,
  hash_before TEXT NOT NULL,              -- of the entry before the first
  last_sequence BIGINT NOT NULL,
  last_hash TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  signature TEXT NOT NULL
);
CREATE TABLE access_key_uses (
  key_id TEXT NOT NULL PRIMARY KEY,
  time_ms BIGINT NOT NULL,
  service TEXT NOT NULL,
  region TEXT NOT NULL
);
CREATE INDEX access_key_uses_time ON access_key_uses (time_ms);
)sql";

}  // namespace

void migrate_audit_schema(store::Database& database) {
  database.migrate("audit", {{"0001-audit", kAudit}});
}

}  // namespace andon::control
