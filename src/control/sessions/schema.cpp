// SPDX-License-Identifier: Apache-2.0
#include "control/sessions/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE console_sessions (
  digest TEXT NOT NULL PRIMARY KEY,    -- SHA-256 of the token
  id TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL,
  begun_by TEXT NOT NULL,
  access_key TEXT NOT NULL,            -- or empty
  password_mark TEXT NOT NULL,         -- of the user's password then, or empty
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  begun_ms BIGINT NOT NULL,
  used_ms BIGINT NOT NULL,
  ends_ms BIGINT NOT NULL
);
CREATE INDEX console_sessions_principal ON console_sessions (principal, begun_ms);
CREATE INDEX console_sessions_ends ON console_sessions (ends_ms);
CREATE TABLE console_begun (           -- a row once the first link was made
  begun_ms BIGINT NOT NULL
);
CREATE TABLE console_links (
  digest TEXT NOT NULL PRIMARY KEY,    -- SHA-256 of the token
  principal TEXT NOT NULL,
  ends_ms BIGINT NOT NULL
);
)sql";

}  // namespace

void migrate_sessions(store::Database& database) {
  database.migrate("sessions", {{"0001-sessions", kTables}});
}

}  // namespace andon::control
