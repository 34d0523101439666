// SPDX-License-Identifier: Apache-2.0
// Keeps the broker's view true: a thread that looks several times a second what has changed of
// certificates and things, and tells the broker. Owned by the server, ends before the broker.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/view/view.hpp"
#include "control/identity/connection_rights.hpp"
#include "fleet/names/arn.hpp"
#include "server/broker/authority.hpp"
#include "server/broker/broker.hpp"

namespace andon::server {

// Everybody who may connect at this moment, the server and the operator among them.
[[nodiscard]] std::vector<broker::Change> broker_view(control::ConnectionRights& rights,
                                                      const Authority& authority,
                                                      const fleet::Arns& arns,
                                                      const broker::Limits& limits);

class BrokerFeed {
 public:
  // All are kept by reference and must outlive it.
  BrokerFeed(control::ConnectionRights& rights, const Authority& authority, Broker& broker,
             const fleet::Arns& arns, const broker::Limits& limits);
  BrokerFeed(const BrokerFeed&) = delete;
  BrokerFeed& operator=(const BrokerFeed&) = delete;
  ~BrokerFeed();

  // Tells the broker what has changed so far, now.
  void tell_now();

 private:
  void run();

  control::ConnectionRights& rights_;
  const Authority& authority_;
  Broker& broker_;
  fleet::Arns arns_;
  broker::Limits limits_;
  std::mutex telling_;          // one at a time, so that changes are told in their order
  bool must_tell_all_ = false;  // guarded by telling_
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace andon::server
