// SPDX-License-Identifier: Apache-2.0
// What the broker says that it has refused since its start (docs/broker.md). Any thread.
#pragma once

#include <mutex>
#include <string>

#include "broker/access/access.hpp"

namespace andon::server {

class BrokerCounters {
 public:
  using Values = broker::Counters;

  // A message on andon/broker/counters; one that cannot be read changes nothing.
  void take(const std::string& message);
  [[nodiscard]] Values values() const;

 private:
  mutable std::mutex mutex_;
  Values values_;  // guarded by mutex_
};

}  // namespace andon::server
