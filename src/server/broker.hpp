// SPDX-License-Identifier: Apache-2.0
// The MQTT broker: a mosquitto that this object configures, starts, watches and starts again.
// Mutual TLS; a client's name is its certificate's CN, and access rules confine a device to its own
// topics. Owned by the server; any thread may ask. A thread of its own is mosquitto's parent, for a
// child dies with the thread that started it; what mosquitto logs comes through a pipe into
// the server's own log.
//
// The broker keeps nothing on disk: deployments and shadows are in the database, devices ask again
// when they are back, and agents keep results until they are acknowledged. It writes a QoS 1
// message to its subscribers' sockets before it acknowledges it to the publisher, so a broker
// that is killed loses only what it has not acknowledged, and what sits in the sockets.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.hpp"

namespace andon::server {

struct BrokerOptions {
  base::fs::path directory;  // for its configuration; made if absent, 0700
  std::string address;       // an IP address
  std::uint16_t port = 0;    // 0: any free port
  base::fs::path ca_file;
  base::fs::path certificate_file;
  base::fs::path private_key_file;
  std::string program = "mosquitto";  // searched in PATH and in /usr/sbin
};

// Ends the mosquitto that a killed server left behind, so that its port is free again.
void end_leftover_broker(const base::fs::path& directory);

class Broker {
 public:
  // Ends a leftover, then starts one and returns when it accepts
  // connections. Throws failed_precondition where mosquitto is not installed, unavailable where
  // the port is taken or it does not come up.
  explicit Broker(BrokerOptions options);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] bool is_running() const;  // accepts connections, as far as is known
  [[nodiscard]] pid_t pid() const;        // of the present mosquitto; -1 between two
  [[nodiscard]] std::uint64_t restarts() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::server
