// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/metrics_server.hpp"

#include <utility>

#include "base/log/log.hpp"

namespace andon::inspect {

wire::LocalHttpAnswer answer_metrics(const wire::LocalHttpRequest& request,
                                     const std::function<std::string()>& page) {
  if (request.path != "/metrics") return {404, "text/plain", "try /metrics\n"};
  if (request.method != "GET") return {405, "text/plain", "only GET\n"};
  return {200, "text/plain; version=0.0.4; charset=utf-8", page()};
}

MetricsServer::MetricsServer(const std::string& address, std::function<std::string()> page)
    : server_("metrics", address, [page = std::move(page)](const auto& request, const auto& reply) {
        reply(answer_metrics(request, page));
      }) {
  base::log_info("metrics are served", {{"port", port()}});
}

}  // namespace andon::inspect
