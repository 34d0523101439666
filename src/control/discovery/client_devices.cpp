// SPDX-License-Identifier: Apache-2.0
#include "control/discovery/client_devices.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "control/discovery/discovery_schema.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::size_t kMostText = 1024;
constexpr std::int64_t kHighestPort = 65'535;

void check_count(const std::vector<std::string>& things) {
  if (!things.empty() && things.size() <= ClientDevices::kMostInARequest) return;
  throw Error(ErrorCode::invalid_argument, "entries: must be 1 to 100 things");
}

void check_endpoints(const std::vector<CoreEndpoint>& endpoints) {
  if (endpoints.size() > ClientDevices::kMostEndpoints) {
    throw Error(ErrorCode::invalid_argument, "ConnectivityInfo: has more than 50 entries");
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const CoreEndpoint& one = endpoints[i];
    const std::string place = "ConnectivityInfo[" + std::to_string(i) + "]";
    if (one.host.empty()) {
      throw Error(ErrorCode::invalid_argument, place + ".HostAddress: is missing");
    }
    if (one.port < 0 || one.port > kHighestPort) {
      throw Error(ErrorCode::invalid_argument, place + ".PortNumber: must be 0 to 65535");
    }
    if (one.id.size() > kMostText || one.host.size() > kMostText ||
        one.metadata.size() > kMostText) {
      throw Error(ErrorCode::invalid_argument, place + ": has a text of more than 1024 bytes");
    }
  }
}

}  // namespace

ClientDevices::ClientDevices(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  migrate_discovery(database_);
}

std::vector<AssociationProblem> ClientDevices::associate(const std::string& core,
                                                         const std::vector<std::string>& things) {
  check_count(things);
  std::vector<AssociationProblem> problems;
  database_.write([&](store::Transaction& tx) {
    problems.clear();
    require_thing(tx, core);
    std::int64_t count =
        tx.query_one("SELECT COUNT(*) FROM client_devices WHERE core = $1", {core})->integer(0);
    for (const std::string& thing : things) {
      if (!has_thing(tx, thing)) {
        problems.push_back({thing, "ResourceNotFoundException", "there is no thing " + thing});
      } else if (thing == core) {
        problems.push_back({thing, "ValidationException", "a core device is not its own client"});
      } else if (count >= kMostOfACore) {
        problems.push_back({thing, "ServiceQuotaExceededException",
                            "a core device has at most 10000 client devices"});
      } else {
        count += tx.execute(
            "INSERT INTO client_devices (core, thing, since_ms) VALUES ($1, $2, $3) "
            "ON CONFLICT (core, thing) DO NOTHING",
            {core, thing, to_stored(clock_.now())});
      }
    }
  });
  return problems;
}

std::vector<AssociationProblem> ClientDevices::disassociate(
    const std::string& core, const std::vector<std::string>& things) {
  check_count(things);
  std::vector<AssociationProblem> problems;
  database_.write([&](store::Transaction& tx) {
    problems.clear();
    require_thing(tx, core);
    for (const std::string& thing : things) {
      const auto removed =
          tx.execute("DELETE FROM client_devices WHERE core = $1 AND thing = $2", {core, thing});
      if (removed == 0) {
        problems.push_back({thing, "ResourceNotFoundException",
                            thing + " is not associated with core device " + core});
      }
    }
  });
  return problems;
}

Page<ClientDevice> ClientDevices::list(const std::string& core, const PageRequest& page) const {
  Page<ClientDevice> result;
  database_.read([&](store::Transaction& tx) {
    require_thing(tx, core);
    for (const store::Row& row :
         tx.query("SELECT thing, since_ms FROM client_devices WHERE core = $1 AND thing > $2 "
                  "ORDER BY thing LIMIT $3",
                  {core, page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().thing;
        return;
      }
      result.items.push_back({row.text(0), stored_time(row.integer(1))});
    }
  });
  return result;
}

std::vector<std::string> ClientDevices::cores_of(const std::string& thing) const {
  constexpr std::int64_t kMost = 1000;
  std::vector<std::string> cores;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT core FROM client_devices WHERE thing = $1 ORDER BY core LIMIT $2",
                  {thing, kMost})) {
      cores.push_back(row.text(0));
    }
  });
  return cores;
}

std::int64_t ClientDevices::set_endpoints(const std::string& core,
                                          const std::vector<CoreEndpoint>& endpoints) {
  check_endpoints(endpoints);
  json::array stored;
  for (const CoreEndpoint& one : endpoints) {
    stored.push_back(json::object{{"Id", one.id},
                                  {"HostAddress", one.host},
                                  {"PortNumber", one.port},
                                  {"Metadata", one.metadata}});
  }
  std::int64_t version = 0;
  database_.write([&](store::Transaction& tx) {
    require_thing(tx, core);
    tx.execute(
        "INSERT INTO connectivity (core, version, endpoints, updated_ms) VALUES ($1, 1, $2, $3) "
        "ON CONFLICT (core) DO UPDATE SET version = connectivity.version + 1, "
        "endpoints = excluded.endpoints, updated_ms = excluded.updated_ms",
        {core, base::to_text(stored), to_stored(clock_.now())});
    version = tx.query_one("SELECT version FROM connectivity WHERE core = $1", {core})->integer(0);
  });
  return version;
}

std::vector<CoreEndpoint> ClientDevices::endpoints(const std::string& core) const {
  std::vector<CoreEndpoint> found;
  database_.read([&](store::Transaction& tx) {
    require_thing(tx, core);
    const auto row = tx.query_one("SELECT endpoints FROM connectivity WHERE core = $1", {core});
    if (!row) return;
    const json::object stored{{"endpoints", base::parse_json(row->text(0), "connectivity")}};
    for (const base::JsonReader& one : base::JsonReader(stored, "stored").children("endpoints")) {
      found.push_back({one.string("Id"), one.string("HostAddress"), one.integer("PortNumber"),
                       one.string("Metadata")});
    }
  });
  return found;
}

base::Timestamp ClientDevices::set_service_role(const std::string& arn) {
  const base::Timestamp now = clock_.now();
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO service_role (id, arn, since_ms) VALUES (1, $1, $2) "
        "ON CONFLICT (id) DO UPDATE SET arn = excluded.arn, since_ms = excluded.since_ms",
        {arn, to_stored(now)});
  });
  return now;
}

std::optional<ServiceRole> ClientDevices::service_role() const {
  std::optional<ServiceRole> role;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT arn, since_ms FROM service_role WHERE id = 1");
    if (row) role = ServiceRole{row->text(0), stored_time(row->integer(1))};
  });
  return role;
}

base::Timestamp ClientDevices::remove_service_role() {
  database_.write([](store::Transaction& tx) { tx.execute("DELETE FROM service_role"); });
  return clock_.now();
}

}  // namespace andon::control
