// SPDX-License-Identifier: Apache-2.0
#include "server/broker/broker_counters.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::server {

void BrokerCounters::take(const std::string& message) {
  try {
    const base::json::value value = base::parse_json(message, "the broker's counters");
    const base::JsonReader reader(value, "counters");
    const auto read = [&](std::string_view name) {
      return static_cast<std::uint64_t>(reader.integer(name));
    };
    const Values values{.refused_connections = read("refusedConnections"),
                        .refused_publishes = read("refusedPublishes"),
                        .refused_subscriptions = read("refusedSubscriptions"),
                        .over_limit = read("overLimit"),
                        .ended_sessions = read("endedSessions")};
    const std::lock_guard lock(mutex_);
    values_ = values;
  } catch (const base::Error& error) {
    base::log_warning("the broker's counters cannot be read", {{"why", error.message()}});
  }
}

BrokerCounters::Values BrokerCounters::values() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

}  // namespace andon::server
