// SPDX-License-Identifier: Apache-2.0
// Triggers over HTTP, on this machine where nothing else is said (answer_trigger). There is no
// authentication. A thread of its own.
#pragma once

#include <thread>

#include "inspect/trigger/trigger_input.hpp"
#include "wire/local/local_http_server.hpp"

namespace andon::inspect {

class HttpTrigger final : public TriggerInput {
 public:
  HttpTrigger(const HttpTriggerSettings& settings, TriggerCallbacks callbacks);
  ~HttpTrigger() override;

  [[nodiscard]] std::uint16_t port() const override { return server_.port(); }

 private:
  void run();

  base::UniqueFd stop_;
  wire::LocalHttpServer server_;
  std::thread thread_;
};

}  // namespace andon::inspect
