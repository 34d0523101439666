// SPDX-License-Identifier: Apache-2.0
// The way to one broker through a proxy, for libmosquitto, which knows SOCKS5 and no other: what
// connects to a port of this machine, says SOCKS5 with a password that only this program has, and
// asks for that one broker, is passed on through the proxy (HTTP CONNECT, HTTPS or SOCKS, by
// libcurl). What passes is TLS from end to end. One connection, on a thread of its own; whoever
// made it ends it. Internal to wire/mqtt.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/os/file.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::wire {

class MqttTunnel {
 public:
  // Listens; connects when it is asked to. Throws where it cannot.
  MqttTunnel(std::string proxy, std::string no_proxy, MqttEndpoint broker,
             std::chrono::milliseconds connect_timeout);
  MqttTunnel(const MqttTunnel&) = delete;
  MqttTunnel& operator=(const MqttTunnel&) = delete;
  ~MqttTunnel();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] const std::string& password() const { return password_; }
  // Why there is no connection through the proxy; empty where nothing is known.
  [[nodiscard]] std::string problem() const;

 private:
  void serve();
  void set_problem(std::string problem);

  const std::string proxy_;
  const std::string no_proxy_;
  const MqttEndpoint broker_;
  const std::chrono::milliseconds connect_timeout_;
  const std::string user_;
  const std::string password_;
  base::UniqueFd listener_;
  base::UniqueFd stop_;  // an eventfd
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string problem_;  // guarded by mutex_
  std::thread thread_;   // last
};

// The host and port that a SOCKS5 client asks for (RFC 1928 section 4), or nothing for what is no
// whole request of a host name. Pure.
[[nodiscard]] bool is_socks_request_for(std::string_view bytes, const MqttEndpoint& wanted);

}  // namespace andon::wire
