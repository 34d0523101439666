// SPDX-License-Identifier: Apache-2.0
#include "wire/local/local_http_thread.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::wire {

LocalHttpThread::LocalHttpThread(std::string name, const std::string& address,
                                 LocalHttpServer::Handler handler, const LocalHttpLimits& limits)
    : name_(std::move(name)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      server_(address, std::move(handler), limits) {
  if (!stop_) throw base::system_error("cannot serve " + name_, errno);
  thread_ = std::thread([this] { run(); });
}

LocalHttpThread::~LocalHttpThread() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void LocalHttpThread::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  while (true) {
    std::array<pollfd, 2> polled{{{server_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) return;
    try {
      server_.turn();
    } catch (const std::exception& error) {
      base::log_warning("a request could not be served",
                        {{"server", name_}, {"error", error.what()}});
    }
  }
}

}  // namespace andon::wire
