// SPDX-License-Identifier: Apache-2.0
// Triggers over HTTP, on this machine where nothing else is said (answer_trigger). There is no
// authentication. A thread of its own.
#pragma once

#include "inspect/trigger/trigger_input.hpp"
#include "wire/local/local_http_thread.hpp"

namespace andon::inspect {

class HttpTrigger final : public TriggerInput {
 public:
  HttpTrigger(const HttpTriggerSettings& settings, TriggerCallbacks callbacks);

  [[nodiscard]] std::uint16_t port() const override { return server_.port(); }

 private:
  wire::LocalHttpThread server_;
};

}  // namespace andon::inspect
