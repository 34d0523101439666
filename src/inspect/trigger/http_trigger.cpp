// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/http_trigger.hpp"

#include <utility>

#include "base/log/log.hpp"

namespace andon::inspect {

HttpTrigger::HttpTrigger(const HttpTriggerSettings& settings, TriggerCallbacks callbacks)
    : server_("trigger", settings.address,
              [callbacks = std::move(callbacks)](const auto& request, const auto& reply) {
                reply(answer_trigger(request, callbacks, std::chrono::steady_clock::now()));
              },
              {.size = {.body_bytes = kMostTriggerBytes}}) {
  base::log_info("triggers are taken over HTTP", {{"port", port()}});
}

}  // namespace andon::inspect
