// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds since 1970, JSON is text.
#include "control/commands/schema.hpp"

namespace andon::control {
namespace {

// What was asked of devices, by whom, and what came of it; not what they answered.
constexpr std::string_view kTables = R"sql(
CREATE TABLE commands (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  thing TEXT NOT NULL,
  kind TEXT NOT NULL,
  component TEXT NOT NULL,
  what TEXT NOT NULL,            -- for people
  principal TEXT NOT NULL,       -- who asked
  principal_name TEXT NOT NULL,
  principal_arn TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  deadline_ms BIGINT NOT NULL,   -- how long it may take
  status TEXT NOT NULL,          -- WAITING until it is over
  error_code TEXT NOT NULL,
  error TEXT NOT NULL,
  result TEXT NOT NULL,          -- {...}
  ended_ms BIGINT
);
CREATE INDEX commands_thing ON commands (thing, number);
CREATE INDEX commands_open ON commands (number) WHERE ended_ms IS NULL;
)sql";

}  // namespace

void migrate_commands(store::Database& database) {
  database.migrate("commands", {{"0001-commands", kTables}});
}

}  // namespace andon::control
