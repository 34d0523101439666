// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/schema.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE login_profiles (
  user_id TEXT NOT NULL PRIMARY KEY,   -- AIDA...
  hash TEXT NOT NULL,                  -- $argon2id$...
  must_change INTEGER NOT NULL,
  mark TEXT NOT NULL,                  -- another one after each change
  created_ms BIGINT NOT NULL,
  set_ms BIGINT NOT NULL
);
CREATE TABLE login_past_passwords (
  user_id TEXT NOT NULL,
  number BIGINT NOT NULL,              -- counts up
  hash TEXT NOT NULL,
  PRIMARY KEY (user_id, number)
);
CREATE TABLE password_policy (         -- one row, or none
  only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  least_length INTEGER NOT NULL,
  wants_symbols INTEGER NOT NULL,
  wants_numbers INTEGER NOT NULL,
  wants_upper_case INTEGER NOT NULL,
  wants_lower_case INTEGER NOT NULL,
  users_may_change INTEGER NOT NULL,
  longest_age_days INTEGER,
  remembered INTEGER NOT NULL,
  is_hard INTEGER NOT NULL
);
)sql";

}  // namespace

void migrate_passwords(store::Database& database) {
  database.migrate("passwords", {{"0001-passwords", kTables}});
}

}  // namespace andon::control
