// SPDX-License-Identifier: Apache-2.0
// The MQTT broker: a mosquitto that this object configures, starts, watches and starts again.
// Mutual TLS; a module of ours (src/broker) decides who may connect and confines a device to its
// own topics, by the view that this object writes for it. Owned by the server; any thread may ask.
// A thread of its own is mosquitto's parent, for a child dies with the thread that started it; what
// mosquitto logs comes through a pipe into the server's own log.
//
// The broker keeps nothing on disk: deployments and shadows are in the database, devices ask again
// when they are back, and agents keep results until they are acknowledged. It writes a QoS 1
// message to its subscribers' sockets before it acknowledges it to the publisher, so a broker
// that is killed loses only what it has not acknowledged, and what sits in the sockets.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/os/file.hpp"
#include "broker/view/view.hpp"

namespace andon::server {

struct BrokerOptions {
  base::fs::path directory;  // for its configuration; made if absent, 0700
  std::string address;       // an IP address
  std::uint16_t port = 0;    // 0: any free port
  base::fs::path ca_file;
  base::fs::path certificate_file;
  base::fs::path private_key_file;
  std::string program = "mosquitto";  // searched in PATH and in /usr/sbin
  base::fs::path module;              // andon-broker.so
  // Where users with passwords are listened for (TLS without a client's certificate); 0: nowhere.
  std::uint16_t users_port = 0;
};

// Ends the mosquitto that a killed server left behind, so that its port is free again.
void end_leftover_broker(const base::fs::path& directory);

class Broker {
 public:
  // Ends a leftover, then starts one and returns when it accepts
  // connections. Throws failed_precondition where mosquitto is not installed, unavailable where
  // the port is taken or it does not come up.
  // `view` is whom the broker lets in at first.
  Broker(BrokerOptions options, std::span<const broker::Change> view);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker();

  // Whom it lets in from now on (within 100 ms); connections that may not be any more are cut off.
  void apply(std::span<const broker::Change> changes);
  // So many changes were applied that replacing the view by a shorter one is worth it.
  [[nodiscard]] bool needs_new_view() const;
  void replace_view(std::span<const broker::Change> view);

  // From now on users with passwords are listened for, too. Where they were not, the broker starts
  // anew: clients come back by themselves. Throws unavailable where the port is taken.
  void listen_for_users(std::uint16_t port);

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] bool is_running() const;  // accepts connections, as far as is known
  [[nodiscard]] pid_t pid() const;        // of the present mosquitto; -1 between two
  [[nodiscard]] std::uint64_t restarts() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::server
