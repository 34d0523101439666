// SPDX-License-Identifier: Apache-2.0
#include "functions/registry/schema.hpp"

namespace andon::functions {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE functions (
  name TEXT NOT NULL PRIMARY KEY,
  created_ms BIGINT NOT NULL,
  last_number BIGINT NOT NULL,   -- of the versions that were ever published
  reserved BIGINT                -- calls at once; null: as many as there is room for
);
CREATE TABLE function_versions (
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  number BIGINT NOT NULL,        -- 0: $LATEST
  config TEXT NOT NULL,          -- JSON
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  next_sha256 TEXT,
  next_bytes BIGINT,
  revision TEXT NOT NULL,
  modified_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  state_reason TEXT NOT NULL,
  state_reason_code TEXT NOT NULL,
  update_status TEXT NOT NULL,
  update_reason TEXT NOT NULL,
  update_reason_code TEXT NOT NULL,
  PRIMARY KEY (function, number)
);
CREATE INDEX function_versions_open ON function_versions (function, number)
  WHERE state = 'Pending' OR update_status = 'InProgress';
CREATE INDEX function_versions_code ON function_versions (sha256);
CREATE INDEX function_versions_next ON function_versions (next_sha256)
  WHERE next_sha256 IS NOT NULL;
CREATE TABLE function_aliases (
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  description TEXT NOT NULL,
  other_version BIGINT,
  other_weight REAL NOT NULL,
  revision TEXT NOT NULL,
  PRIMARY KEY (function, name)
);
CREATE TABLE function_event_configs (
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  qualifier TEXT NOT NULL,
  most_retries BIGINT,
  most_age_s BIGINT,
  on_success TEXT,
  on_failure TEXT,
  modified_ms BIGINT NOT NULL,
  PRIMARY KEY (function, qualifier)
);
CREATE TABLE function_policies (
  function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
  qualifier TEXT NOT NULL,       -- '': of the function
  statements TEXT NOT NULL,      -- a JSON array
  revision TEXT NOT NULL,
  PRIMARY KEY (function, qualifier)
);
CREATE TABLE function_events (   -- asynchronous calls until they are over
  id TEXT NOT NULL PRIMARY KEY,
  function TEXT NOT NULL,
  qualifier TEXT NOT NULL,
  payload BLOB NOT NULL,
  client_context TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  next_ms BIGINT NOT NULL,       -- when it is tried
  attempts BIGINT NOT NULL,      -- that the function has answered with an error
  postponed BIGINT NOT NULL,     -- attempts for which there was no room
  hops BIGINT NOT NULL           -- destinations that led here
);
CREATE INDEX function_events_next ON function_events (next_ms, id);
)sql";

}  // namespace

void migrate_functions(store::Database& database) {
  database.migrate("functions", {{"0001-functions", kTables}});
}

}  // namespace andon::functions
