// SPDX-License-Identifier: Apache-2.0
#include "inspect/program/events.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error/error.hpp"

namespace andon::inspect {

Events::Events() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  signals_ = base::UniqueFd(signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  nudges_ = base::UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signals_ || !nudges_) throw base::system_error("cannot wait for signals", errno);
}

void Events::nudge() const {
  const std::uint64_t one = 1;
  // It can only fail where the counter is full, and then the wait ends anyway.
  [[maybe_unused]] const ssize_t written = write(nudges_.get(), &one, sizeof one);
}

Events::Woken Events::wait(std::initializer_list<int> fds,
                           std::optional<std::chrono::milliseconds> timeout) {
  std::array<pollfd, 2 + kMostFds> polled{
      {{signals_.get(), POLLIN, 0}, {nudges_.get(), POLLIN, 0}}};
  nfds_t used = 2;
  for (const int fd : fds) polled.at(used++) = {fd, POLLIN, 0};
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  const int millis = timeout ? static_cast<int>(std::min(*timeout, kLongest).count()) : -1;
  if (is_stop_requested_) return Woken::stopped;
  if (poll(polled.data(), used, millis) <= 0) return Woken::timed_out;
  if (polled[0].revents != 0) {
    is_stop_requested_ = true;
    return Woken::stopped;
  }
  if (polled[1].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(nudges_.get(), &count, sizeof count);
    return Woken::nudged;
  }
  return Woken::readable;
}

}  // namespace andon::inspect
