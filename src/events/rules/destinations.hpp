// SPDX-License-Identifier: Apache-2.0
// API destinations: HTTP endpoints that a rule may call, each with the connection that says how.
// Any thread; each call is one transaction. Errors are base::Error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

struct Destination {
  std::string name;
  std::string id;
  std::string description;
  std::string connection_arn;
  std::string endpoint;  // a URL with '*' where a target's path parameters go
  std::string method;
  std::optional<std::int64_t> calls_a_second;
  base::Timestamp created;
  base::Timestamp modified;
};

class Destinations {
 public:
  static constexpr std::int64_t kMost = 3000;

  // After Rules, whose schema has its table.
  Destinations(store::Database& database, const base::Clock& clock)
      : database_(database), clock_(clock) {}

  Destination create(Destination destination);
  // `change` gets the one that is there.
  Destination update(const std::string& name, const std::function<void(Destination&)>& change);
  [[nodiscard]] Destination destination(const std::string& name) const;
  void remove(const std::string& name);
  // By name; `connection_arn` empty: all.
  [[nodiscard]] std::vector<Destination> list(const std::string& prefix,
                                              const std::string& connection_arn,
                                              const std::string& after, std::size_t limit) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::events
