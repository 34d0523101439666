// SPDX-License-Identifier: Apache-2.0
#include "events/rules/schema.hpp"

namespace andon::events {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE event_buses (
  name TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
CREATE TABLE event_rules (
  bus TEXT NOT NULL REFERENCES event_buses (name),
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  is_enabled BIGINT NOT NULL,
  pattern TEXT NOT NULL,         -- empty: none
  schedule TEXT NOT NULL,        -- empty: none
  role TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  next_ms BIGINT,                -- the next run of its schedule
  PRIMARY KEY (bus, name)
);
CREATE INDEX event_rules_due ON event_rules (next_ms) WHERE next_ms IS NOT NULL;
CREATE TABLE event_targets (
  bus TEXT NOT NULL,
  rule TEXT NOT NULL,
  id TEXT NOT NULL,
  arn TEXT NOT NULL,
  body TEXT NOT NULL,            -- as PutTargets has it
  PRIMARY KEY (bus, rule, id),
  FOREIGN KEY (bus, rule) REFERENCES event_rules (bus, name)
);
CREATE INDEX event_targets_arn ON event_targets (arn, bus, rule);
CREATE TABLE api_destinations (
  name TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  connection TEXT NOT NULL,      -- ARN
  endpoint TEXT NOT NULL,
  method TEXT NOT NULL,
  rate BIGINT,                   -- calls a second; null: 300
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_rules(store::Database& database) {
  database.migrate("events", {{"rules", kTables}});
}

}  // namespace andon::events
