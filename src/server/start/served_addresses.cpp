// SPDX-License-Identifier: Apache-2.0
#include "server/start/served_addresses.hpp"

#include <algorithm>
#include <cstdint>

namespace andon::server {
namespace {

void migrate(store::Database& database) {
  database.migrate("addresses", {{"0001-served-addresses",
                                  "CREATE TABLE served_addresses ("
                                  "host TEXT NOT NULL, mqtt_port INTEGER NOT NULL,"
                                  "https_port INTEGER NOT NULL, used_ms INTEGER NOT NULL,"
                                  "PRIMARY KEY (host, mqtt_port, https_port)) WITHOUT ROWID;"}});
}

std::vector<fleet::ServerAddress> all_served(store::Transaction& tx) {
  std::vector<fleet::ServerAddress> all;
  for (const store::Row& row : tx.query("SELECT host, mqtt_port, https_port FROM served_addresses "
                                        "ORDER BY used_ms DESC, host, mqtt_port, https_port")) {
    const std::string host = row.text(0);
    all.push_back({{host, static_cast<std::uint16_t>(row.integer(1))},
                   {host, static_cast<std::uint16_t>(row.integer(2))}});
  }
  return all;
}

}  // namespace

std::vector<std::string> hosts_served_before(store::Database& database) {
  migrate(database);
  std::vector<std::string> hosts;
  for (const fleet::ServerAddress& one : database.read(all_served)) {
    if (std::ranges::find(hosts, one.mqtt.host) == hosts.end()) hosts.push_back(one.mqtt.host);
  }
  return hosts;
}

std::optional<fleet::ServerAddresses> note_served_address(store::Database& database,
                                                          const ServerOptions& options,
                                                          const Ports& ports, base::Timestamp now) {
  migrate(database);
  const std::string& host = options.hosts.front();
  return database.write([&](store::Transaction& tx) -> std::optional<fleet::ServerAddresses> {
    fleet::ServerAddresses addresses{{{host, ports.mqtt}, {host, ports.device}}, {}};
    for (fleet::ServerAddress& one : all_served(tx)) {
      if (one == addresses.now) continue;
      if (addresses.before.size() < fleet::kMaxAddressesBefore) {
        addresses.before.push_back(std::move(one));
        continue;
      }
      tx.execute(
          "DELETE FROM served_addresses WHERE host = $1 AND mqtt_port = $2 "
          "AND https_port = $3",
          {one.mqtt.host, std::int64_t{one.mqtt.port}, std::int64_t{one.data_plane.port}});
    }
    tx.execute(
        "INSERT INTO served_addresses (host, mqtt_port, https_port, used_ms) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (host, mqtt_port, https_port) "
        "DO UPDATE SET used_ms = excluded.used_ms",
        {host, std::int64_t{ports.mqtt}, std::int64_t{ports.device}, base::to_epoch_millis(now)});
    if (addresses.before.empty()) return std::nullopt;
    return addresses;
  });
}

}  // namespace andon::server
