// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/metrics_server.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

wire::LocalHttpAnswer answer_metrics(const wire::LocalHttpRequest& request,
                                     const std::function<std::string()>& page) {
  if (request.path != "/metrics") return {404, "text/plain", "try /metrics\n"};
  if (request.method != "GET") return {405, "text/plain", "only GET\n"};
  return {200, "text/plain; version=0.0.4; charset=utf-8", page()};
}

MetricsServer::MetricsServer(const std::string& address, std::function<std::string()> page)
    : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      server_(address, [page = std::move(page)](const auto& request, const auto& reply) {
        reply(answer_metrics(request, page));
      }) {
  if (!stop_) throw base::system_error("cannot serve metrics", errno);
  base::log_info("metrics are served", {{"port", port()}});
  thread_ = std::thread([this] { run(); });
}

MetricsServer::~MetricsServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void MetricsServer::run() {
  while (true) {
    std::array<pollfd, 2> polled{{{server_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) return;
    try {
      server_.turn();
    } catch (const std::exception& error) {
      base::log_warning("metrics could not be served", {{"error", error.what()}});
    }
  }
}

}  // namespace andon::inspect
