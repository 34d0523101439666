// SPDX-License-Identifier: Apache-2.0
#include "events/rules/destinations.hpp"

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "wire/http/url.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::SqlValue;
using store::Transaction;

constexpr std::string_view kColumns =
    "name, id, description, connection, endpoint, method, rate, created_ms, modified_ms";

Destination read(const Row& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          row.optional_integer(6),
          base::from_epoch_millis(row.integer(7)),
          base::from_epoch_millis(row.integer(8))};
}

Destination require(Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT " + std::string(kColumns) + " FROM api_destinations WHERE name = $1", {name});
  if (!row) {
    throw Error(ErrorCode::not_found,
                "Failed to describe the api-destination(s). An api-destination '" +
                    name.substr(0, 64) + "' does not exist.");
  }
  return read(*row);
}

void check(const Destination& destination) {
  if (!base::is_name_of(destination.name, "._-")) {
    throw Error(ErrorCode::invalid_argument, "Name: must be of letters, digits, '.', '-' and '_'");
  }
  if (!wire::read_url(destination.endpoint)) {
    throw Error(ErrorCode::invalid_argument, "Parameter InvocationEndpoint is not valid.");
  }
}

void write(Transaction& tx, const Destination& one) {
  tx.execute(
      "INSERT INTO api_destinations (name, id, description, connection, endpoint, method, rate, "
      "created_ms, modified_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO "
      "UPDATE SET description = excluded.description, connection = excluded.connection, endpoint = "
      "excluded.endpoint, method = excluded.method, rate = excluded.rate, modified_ms = "
      "excluded.modified_ms",
      {one.name, one.id, one.description, one.connection_arn, one.endpoint, one.method,
       one.calls_a_second ? SqlValue(*one.calls_a_second) : SqlValue(),
       base::to_epoch_millis(one.created), base::to_epoch_millis(one.modified)});
}

}  // namespace

Destination Destinations::create(Destination destination) {
  check(destination);
  return database_.write([&](Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM api_destinations WHERE name = $1", {destination.name})) {
      throw Error(ErrorCode::already_exists,
                  "An api-destination '" + destination.name + "' already exists.");
    }
    if (tx.query_one("SELECT count(*) FROM api_destinations")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " API destinations, delete one");
    }
    destination.id = base::random_uuid();
    destination.created = destination.modified = clock_.now();
    write(tx, destination);
    return destination;
  });
}

Destination Destinations::update(const std::string& name,
                                 const std::function<void(Destination&)>& change) {
  return database_.write([&](Transaction& tx) {
    Destination destination = require(tx, name);
    change(destination);
    check(destination);
    destination.modified = clock_.now();
    write(tx, destination);
    return destination;
  });
}

Destination Destinations::destination(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require(tx, name); });
}

void Destinations::remove(const std::string& name) {
  database_.write([&](Transaction& tx) {
    (void)require(tx, name);
    tx.execute("DELETE FROM api_destinations WHERE name = $1", {name});
  });
}

std::vector<Destination> Destinations::list(const std::string& prefix,
                                            const std::string& connection_arn,
                                            const std::string& after, std::size_t limit) const {
  return database_.read([&](Transaction& tx) {
    std::vector<Destination> all;
    for (const Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM api_destinations WHERE name > $1 AND substr(name, 1, length($2)) = $2 "
                      "AND ($3 = '' OR connection = $3) ORDER BY name LIMIT $4",
                  {after, prefix, connection_arn, static_cast<std::int64_t>(limit)})) {
      all.push_back(read(row));
    }
    return all;
  });
}

}  // namespace andon::events
