// SPDX-License-Identifier: Apache-2.0
// Room: connections. HTTP endpoints' credentials, in the terms of EventBridge's connections: named,
// listed, changed; used by workflows (http:invoke) and whoever else calls out. What is secret lies
// sealed in the database (trust/keys/seal.hpp) and is given to who makes the call, nobody else.
// Any thread; each call is one transaction.
#pragma once

#include <optional>
#include <string>

#include "base/time/time.hpp"
#include "control/connections/authorization.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/seal.hpp"

namespace andon::control {

struct Connection {
  std::string name;
  std::string id;
  std::string description;
  AuthorizationType type = AuthorizationType::basic;
  json::object parameters;  // AuthParameters, without what is secret; empty in a list
  base::Timestamp created;
  base::Timestamp modified;
  base::Timestamp authorized;
};

struct NewConnection {
  std::string name;
  std::string description;
  AuthorizationType type = AuthorizationType::basic;
  json::object parameters;
};

struct ConnectionUpdate {
  std::optional<std::string> description;
  std::optional<AuthorizationType> type;
  std::optional<json::object> parameters;  // what is left out stays
};

class Connections {
 public:
  static constexpr std::int64_t kMost = 3000;  // as AWS has it

  Connections(store::Database& database, const trust::SealingKey& key, const base::Clock& clock)
      : database_(database), key_(key), clock_(clock) {}

  Connection create(const NewConnection& connection);  // already_exists, invalid_argument
  [[nodiscard]] Connection describe(const std::string& name) const;  // not_found
  Connection update(const std::string& name, const ConnectionUpdate& update);
  Connection remove(const std::string& name);
  [[nodiscard]] Page<Connection> list(const std::string& prefix, const PageRequest& page) const;
  // For who makes a call. Nothing where there is none with this name and id.
  [[nodiscard]] std::optional<Authorization> authorization(const std::string& name,
                                                           const std::string& id) const;

 private:
  struct Stored {
    Connection connection;
    std::string sealed;
  };
  [[nodiscard]] static Stored require(store::Transaction& tx, const std::string& name);
  [[nodiscard]] json::object opened(const Stored& stored) const;
  [[nodiscard]] std::string sealed(const Connection& connection, const json::object& members) const;

  store::Database& database_;
  const trust::SealingKey& key_;
  const base::Clock& clock_;
};

}  // namespace andon::control
