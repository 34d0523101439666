// SPDX-License-Identifier: Apache-2.0
// What the broker says that it has refused since its start (docs/broker.md). Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace andon::server {

class BrokerCounters {
 public:
  struct Values {
    std::uint64_t refused_connections = 0;
    std::uint64_t refused_publishes = 0;
    std::uint64_t refused_subscriptions = 0;
    std::uint64_t over_limit = 0;
    std::uint64_t ended_sessions = 0;
  };

  // A message on andon/broker/counters; one that cannot be read changes nothing.
  void take(const std::string& message);
  [[nodiscard]] Values values() const;

 private:
  mutable std::mutex mutex_;
  Values values_;  // guarded by mutex_
};

}  // namespace andon::server
