// SPDX-License-Identifier: Apache-2.0
// GET /metrics over HTTP/1.1, one short connection after another, on a thread of its own. So small
// that it needs no HTTP library on the device: nothing of a request but its first line is read for
// its meaning, and a client that dawdles is dropped.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/file.hpp"

namespace andon::inspect {

class MetricsServer {
 public:
  // Listens on "ADDRESS:PORT" (IPv4, or "[IPv6]:PORT"; port 0: any free one). Throws
  // invalid_argument for what is no such address, unavailable where it cannot be had. `page` is
  // called on the server's thread.
  MetricsServer(const std::string& address, std::function<std::string()> page,
                std::chrono::milliseconds deadline = std::chrono::seconds(5));
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run();
  void serve(int client) const;

  std::function<std::string()> page_;
  std::chrono::milliseconds deadline_;
  base::UniqueFd listener_;
  base::UniqueFd stop_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// The whole answer to a request's head. Pure.
[[nodiscard]] std::string answer_metrics(std::string_view head,
                                         const std::function<std::string()>& page);

}  // namespace andon::inspect
