// SPDX-License-Identifier: Apache-2.0
#include "edge/state/state_database.hpp"

#include <sys/stat.h>

#include <string>

#include "base/error/error.hpp"

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

constexpr std::string_view kDamagedConfiguration = R"sql(
CREATE TABLE damaged_configuration (
  component TEXT PRIMARY KEY,
  content TEXT NOT NULL,
  reason TEXT NOT NULL,
  found_ms INTEGER NOT NULL
);
)sql";

// Results that the broker has (sent_ms) stay until their consumers have stored them (stored_by); a
// consumer names them by their digests.
constexpr std::string_view kAwaitedResults = R"sql(
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
ALTER TABLE spool ADD COLUMN digest TEXT;
ALTER TABLE spool ADD COLUMN sent_ms INTEGER;
ALTER TABLE spool ADD COLUMN stored_by TEXT NOT NULL DEFAULT '';
CREATE INDEX spool_by_digest ON spool (digest) WHERE digest IS NOT NULL;
CREATE INDEX spool_awaited ON spool (id) WHERE sent_ms IS NOT NULL;
DROP INDEX spool_by_topic;
CREATE INDEX spool_unsent ON spool (topic, id) WHERE delivered_ms IS NULL AND sent_ms IS NULL;
)sql";

// Which version's bootstrap step is done; it may have asked for a restart, and is not run again.
constexpr std::string_view kBootstrapped = R"sql(
CREATE TABLE bootstrapped_versions (component TEXT PRIMARY KEY, identity TEXT NOT NULL);
)sql";

// What somebody at the device has deployed, in the order in which it was asked for.
constexpr std::string_view kLocalDeployments = R"sql(
CREATE TABLE local_deployments (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  document TEXT NOT NULL,
  details TEXT
);
)sql";

// Shadows that components keep on the device. One that was deleted keeps its version.
constexpr std::string_view kShadows = R"sql(
CREATE TABLE shadows (
  thing TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  metadata TEXT NOT NULL,
  version INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  PRIMARY KEY (thing, name)
);
)sql";

// What device and server had in common when a shadow of both was last the same.
constexpr std::string_view kSyncedShadows = R"sql(
CREATE TABLE synced_shadows (
  thing TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  server_version INTEGER NOT NULL,
  own_version INTEGER NOT NULL,
  PRIMARY KEY (thing, name)
);
)sql";

// Secrets of the server for components, by the name that the configuration has; values are sealed.
constexpr std::string_view kSecrets = R"sql(
CREATE TABLE secrets (
  id TEXT NOT NULL,
  arn TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  stages TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (id, version)
);
)sql";

// Whose share of the spool a message takes.
constexpr std::string_view kSpoolShares = R"sql(
ALTER TABLE spool ADD COLUMN component TEXT NOT NULL DEFAULT '';
CREATE INDEX spool_by_component ON spool (component, id, bytes) WHERE delivered_ms IS NULL;
)sql";

// Components that are gone from the set, and whose uninstall step may not have run.
constexpr std::string_view kLeavingComponents = R"sql(
CREATE TABLE leaving_components (content TEXT NOT NULL, configuration TEXT NOT NULL);
)sql";

// Components that were stopped by hand.
constexpr std::string_view kHeldComponents = R"sql(
CREATE TABLE held_components (component TEXT PRIMARY KEY);
)sql";

}  // namespace

std::unique_ptr<store::Database> open_state_database(const base::fs::path& path) {
  try {
    std::unique_ptr<store::Database> database = store::open_sqlite(path);
    database->migrate("edge", {{"1 first schema", kFirstSchema},
                               {"2 delivered messages", kDeliveredMessages},
                               {"3 damaged configuration", kDamagedConfiguration},
                               {"4 awaited results", kAwaitedResults},
                               {"5 bootstrapped versions", kBootstrapped},
                               {"6 local deployments", kLocalDeployments},
                               {"7 shadows", kShadows},
                               {"8 synced shadows", kSyncedShadows},
                               {"9 secrets", kSecrets},
                               {"10 shares of the spool", kSpoolShares},
                               {"11 leaving components", kLeavingComponents},
                               {"12 held components", kHeldComponents}});
    // Configurations and results are not for everybody on the device.
    for (const char* const suffix : {"", "-wal", "-shm"}) {
      chmod((path.string() + suffix).c_str(), 0600);
    }
    return database;
  } catch (base::Error& error) {
    if (error.code() == base::ErrorCode::data_corrupted) {
      error.with_context(
          "the agent's state is damaged (without a backup: move config.db, config.db-wal and "
          "config.db-shm away, start again and deploy to this device again; it keeps its identity, "
          "and loses results that were not sent yet)");
    }
    throw;
  }
}

std::int64_t next_number(store::Transaction& transaction, std::string_view counter) {
  transaction.execute(
      "INSERT INTO counters (name, number) VALUES ($1, 1) "
      "ON CONFLICT (name) DO UPDATE SET number = number + 1",
      {std::string(counter)});
  return transaction
      .query_one("SELECT number FROM counters WHERE name = $1", {std::string(counter)})
      .value()
      .integer(0);
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
