// SPDX-License-Identifier: Apache-2.0
// A LocalHttpServer with a thread of its own, for programs without an event loop.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "base/os/file.hpp"
#include "wire/local/local_http_server.hpp"

namespace andon::wire {

class LocalHttpThread {
 public:
  // Listens from here on; throws what LocalHttpServer throws. `handler` is called on the thread,
  // which is called `name` (at most 15 bytes): the system shows it, and the log when it fails.
  LocalHttpThread(std::string name, const std::string& address, LocalHttpServer::Handler handler,
                  const LocalHttpLimits& limits = {});
  LocalHttpThread(const LocalHttpThread&) = delete;
  LocalHttpThread& operator=(const LocalHttpThread&) = delete;
  // Ends the thread and what connections there are; waits for a handler that is at work.
  ~LocalHttpThread();

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }

 private:
  void run();

  std::string name_;
  base::UniqueFd stop_;
  LocalHttpServer server_;
  std::thread thread_;
};

}  // namespace andon::wire
