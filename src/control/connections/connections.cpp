// SPDX-License-Identifier: Apache-2.0
#include "control/connections/connections.hpp"

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "name, id, description, type, sealed, created_ms, modified_ms, authorized_ms";
constexpr std::size_t kMostName = 64;

void check_name(const std::string& name) {
  if (name.size() > kMostName || !base::is_name_of(name, ".-_")) {
    throw Error(ErrorCode::invalid_argument,
                "Name: a connection's name has 1 to 64 characters of [.-_A-Za-z0-9]");
  }
}

}  // namespace

Connections::Stored Connections::require(store::Transaction& tx, const std::string& name) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM connections WHERE name = $1", {name});
  if (!row) {
    throw Error(ErrorCode::not_found,
                "Failed to describe the connection(s). Connection '" + name + "' does not exist.");
  }
  return {{.name = row->text(0),
           .id = row->text(1),
           .description = row->text(2),
           .type = authorization_type(row->text(3)),
           .parameters = {},
           .created = stored_time(row->integer(5)),
           .modified = stored_time(row->integer(6)),
           .authorized = stored_time(row->integer(7))},
          row->blob(4)};
}

json::object Connections::opened(const Stored& stored) const {
  return stored_object(key_.open(stored.sealed, "connection/" + stored.connection.id));
}

std::string Connections::sealed(const Connection& connection, const json::object& members) const {
  return key_.seal(base::to_text(members), "connection/" + connection.id);
}

Connection Connections::create(const NewConnection& wanted) {
  check_name(wanted.name);
  (void)read_authorization(wanted.type, wanted.parameters);
  const base::Timestamp now = clock_.now();
  const Connection made{.name = wanted.name,
                        .id = base::random_uuid(),
                        .description = wanted.description,
                        .type = wanted.type,
                        .parameters = without_secrets(wanted.parameters),
                        .created = now,
                        .modified = now,
                        .authorized = now};
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM connections WHERE name = $1", {made.name})) {
      throw Error(ErrorCode::already_exists, "Connection " + made.name + " already exists.");
    }
    if (tx.query_one("SELECT count(*) FROM connections")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " connections, delete one");
    }
    tx.execute("INSERT INTO connections (" + std::string(kColumns) +
                   ") VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
               {made.name, made.id, made.description, std::string(to_string(made.type)),
                store::Blob{sealed(made, wanted.parameters)}, to_stored(now)});
  });
  return made;
}

Connection Connections::describe(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    Stored stored = require(tx, name);
    stored.connection.parameters = without_secrets(opened(stored));
    return stored.connection;
  });
}

Connection Connections::update(const std::string& name, const ConnectionUpdate& update) {
  return database_.write([&](store::Transaction& tx) {
    Stored stored = require(tx, name);
    Connection& connection = stored.connection;
    json::object members = opened(stored);
    if (update.type && *update.type != connection.type) {
      // Credentials of another kind say nothing.
      for (const char* old : {"BasicAuthParameters", "ApiKeyAuthParameters"}) members.erase(old);
      connection.type = *update.type;
    }
    if (update.parameters) members = changed(members, *update.parameters);
    (void)read_authorization(connection.type, members);
    if (update.description) connection.description = *update.description;
    connection.modified = clock_.now();
    connection.authorized = connection.modified;
    connection.parameters = without_secrets(members);
    tx.execute(
        "UPDATE connections SET description = $1, type = $2, sealed = $3, modified_ms = $4, "
        "authorized_ms = $4 WHERE name = $5",
        {connection.description, std::string(to_string(connection.type)),
         store::Blob{sealed(connection, members)}, to_stored(connection.modified), name});
    return connection;
  });
}

Connection Connections::remove(const std::string& name) {
  return database_.write([&](store::Transaction& tx) {
    const Stored stored = require(tx, name);
    tx.execute("DELETE FROM connections WHERE name = $1", {name});
    return stored.connection;
  });
}

Page<Connection> Connections::list(const std::string& prefix, const PageRequest& page) const {
  return database_.read([&](store::Transaction& tx) {
    Page<Connection> listed;
    for (const auto& row : tx.query(
             "SELECT name FROM connections WHERE name > $1 AND name >= $2 AND name < $3 ORDER "
             "BY name LIMIT $4",
             {page.after, prefix, prefix + "\x7F", static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      listed.items.push_back(require(tx, row.text(0)).connection);
    }
    return listed;
  });
}

std::optional<Authorization> Connections::authorization(const std::string& name,
                                                        const std::string& id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<Authorization> {
    if (!tx.query_one("SELECT 1 FROM connections WHERE name = $1 AND id = $2", {name, id})) {
      return std::nullopt;
    }
    const Stored stored = require(tx, name);
    return read_authorization(stored.connection.type, opened(stored));
  });
}

}  // namespace andon::control
