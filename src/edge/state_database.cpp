// SPDX-License-Identifier: Apache-2.0
#include "edge/state_database.hpp"

#include <string>

namespace andon::edge {
namespace {

constexpr std::string_view kFirstSchema = R"sql(
CREATE TABLE deployments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  document TEXT NOT NULL,
  plan TEXT,
  previous_configuration TEXT,
  failure TEXT,
  failed_in TEXT,
  bytes_fetched INTEGER NOT NULL DEFAULT 0,
  updated_ms INTEGER NOT NULL
);
CREATE TABLE installed_set (slot TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE configuration (
  component TEXT PRIMARY KEY,
  content TEXT NOT NULL,
  updated_ms INTEGER NOT NULL
);
CREATE TABLE installed_versions (component TEXT PRIMARY KEY, identity TEXT NOT NULL);
CREATE TABLE job_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE TABLE spool (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  properties TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
);
CREATE INDEX spool_by_topic ON spool (topic, id);
CREATE TABLE counters (name TEXT PRIMARY KEY, number INTEGER NOT NULL);
)sql";

constexpr std::string_view kDeliveredMessages = R"sql(
ALTER TABLE spool ADD COLUMN delivered_ms INTEGER;
CREATE INDEX spool_by_delivery ON spool (delivered_ms) WHERE delivered_ms IS NOT NULL;
)sql";

}  // namespace

std::unique_ptr<store::Database> open_state_database(const base::fs::path& path) {
  std::unique_ptr<store::Database> database = store::open_sqlite(path);
  database->migrate(
      "edge", {{"1 first schema", kFirstSchema}, {"2 delivered messages", kDeliveredMessages}});
  return database;
}

std::int64_t next_number(store::Database& database, std::string_view counter) {
  std::int64_t number = 0;
  database.write([&](store::Transaction& transaction) {
    transaction.execute(
        "INSERT INTO counters (name, number) VALUES ($1, 1) "
        "ON CONFLICT (name) DO UPDATE SET number = number + 1",
        {std::string(counter)});
    number =
        transaction.query_one("SELECT number FROM counters WHERE name = $1", {std::string(counter)})
            .value()
            .integer(0);
  });
  return number;
}

std::int64_t read_number(const store::Database& database, std::string_view counter) {
  std::int64_t number = 0;
  database.read([&](store::Transaction& transaction) {
    const auto row = transaction.query_one("SELECT number FROM counters WHERE name = $1",
                                           {std::string(counter)});
    if (row) number = row->integer(0);
  });
  return number;
}

}  // namespace andon::edge
