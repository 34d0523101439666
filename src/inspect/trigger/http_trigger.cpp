// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/http_trigger.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

HttpTrigger::HttpTrigger(const HttpTriggerSettings& settings, TriggerCallbacks callbacks)
    : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      server_(settings.address,
              [callbacks = std::move(callbacks)](const auto& request, const auto& reply) {
                reply(answer_trigger(request, callbacks, std::chrono::steady_clock::now()));
              },
              {.size = {.body_bytes = kMostTriggerBytes}}) {
  if (!stop_) throw base::system_error("cannot wait for triggers", errno);
  base::log_info("triggers are taken over HTTP", {{"port", port()}});
  thread_ = std::thread([this] { run(); });
}

HttpTrigger::~HttpTrigger() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void HttpTrigger::run() {
  pthread_setname_np(pthread_self(), "trigger");
  while (true) {
    std::array<pollfd, 2> polled{{{server_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) return;
    try {
      server_.turn();
    } catch (const std::exception& error) {
      base::log_warning("a trigger could not be answered", {{"error", error.what()}});
    }
  }
}

}  // namespace andon::inspect
