// SPDX-License-Identifier: Apache-2.0
// GET /metrics over HTTP/1.1, on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "wire/local/local_http_thread.hpp"

namespace andon::inspect {

class MetricsServer {
 public:
  // Listens on "ADDRESS:PORT"; throws what wire::LocalHttpServer throws. `page` is called on the
  // server's thread.
  MetricsServer(const std::string& address, std::function<std::string()> page);

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }

 private:
  wire::LocalHttpThread server_;
};

// The answer to a request. Pure.
[[nodiscard]] wire::LocalHttpAnswer answer_metrics(const wire::LocalHttpRequest& request,
                                                   const std::function<std::string()>& page);

}  // namespace andon::inspect
