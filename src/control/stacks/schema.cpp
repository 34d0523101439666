// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970, JSON is text, statuses are CloudFormation's words.
#include "control/stacks/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE stacks (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,       -- ARN
  name TEXT NOT NULL,
  is_gone BIGINT NOT NULL,       -- 1: deleted, and only shown by its id
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  description TEXT NOT NULL,
  template TEXT NOT NULL,        -- as it was given
  parameters TEXT NOT NULL,      -- {name: text}
  tags TEXT NOT NULL,            -- {key: value}
  capabilities TEXT NOT NULL,    -- [text]
  outputs TEXT NOT NULL,         -- [{...}]
  left_out TEXT NOT NULL,        -- [{...}]
  work TEXT NOT NULL,            -- what is being done, and as whom; {}: nothing
  protection BIGINT NOT NULL,    -- 1: is not deleted
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT,
  deleted_ms BIGINT
);
CREATE UNIQUE INDEX stacks_name ON stacks (name) WHERE is_gone = 0;
CREATE INDEX stacks_deleted ON stacks (deleted_ms);
CREATE INDEX stacks_work ON stacks (updated_ms, number) WHERE is_gone = 0 AND work <> '{}';
CREATE TABLE stack_resources (
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  logical_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,       -- 0; of those that were replaced and are yet to be removed 1, 2 ...
  position BIGINT NOT NULL,      -- rises in the order of making
  type TEXT NOT NULL,
  physical_id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  properties TEXT NOT NULL,      -- those that it has
  attributes TEXT NOT NULL,
  depends_on TEXT NOT NULL,      -- [logical id]
  on_removal TEXT NOT NULL,      -- Delete, Retain
  generation BIGINT NOT NULL,    -- how often it was replaced
  updated_ms BIGINT NOT NULL,
  PRIMARY KEY (stack_id, logical_id, ordinal)
);
CREATE INDEX stack_resources_physical ON stack_resources (physical_id);
CREATE TABLE stack_exports (
  name TEXT NOT NULL PRIMARY KEY,
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  value TEXT NOT NULL
);
CREATE INDEX stack_exports_stack ON stack_exports (stack_id);
CREATE TABLE stack_imports (
  name TEXT NOT NULL,
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  PRIMARY KEY (name, stack_id)
);
CREATE INDEX stack_imports_stack ON stack_imports (stack_id);
CREATE TABLE stack_events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  event_id TEXT NOT NULL,
  logical_id TEXT NOT NULL,
  physical_id TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  token TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX stack_events_stack ON stack_events (stack_id, number);
CREATE TABLE stack_change_sets (
  id TEXT NOT NULL PRIMARY KEY,  -- ARN
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  execution TEXT NOT NULL,       -- AVAILABLE, UNAVAILABLE, EXECUTE_COMPLETE
  request TEXT NOT NULL,
  changes TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  UNIQUE (stack_id, name)
);
)sql";

}  // namespace

void migrate_stacks(store::Database& database) {
  database.migrate("stacks", {{"0001-stacks", kTables}});
}

}  // namespace andon::control
