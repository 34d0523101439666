// SPDX-License-Identifier: Apache-2.0
#include "base/os/service_manager.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/os/file.hpp"
#include "base/text/number.hpp"

namespace andon::base {
namespace {

// A day: longer silences are no watchdog, and do not fit every clock.
constexpr std::uint64_t kMaxWatchdogUs = 86'400'000'000;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  unsetenv(name);
  return taken;
}

}  // namespace

ServiceManager::ServiceManager(std::string socket,
                               std::optional<std::chrono::microseconds> watchdog)
    : socket_(std::move(socket)) {
  if (socket_.empty() || !watchdog) return;
  const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 2);
  interval_ = std::max(half, std::chrono::milliseconds{1});
}

ServiceManager ServiceManager::from_environment() {
  std::string socket = take_variable("NOTIFY_SOCKET");
  const auto silence = parse_uint64(take_variable("WATCHDOG_USEC"));
  const std::string pid = take_variable("WATCHDOG_PID");
  std::optional<std::chrono::microseconds> watchdog;
  const bool is_for_us = pid.empty() || pid == std::to_string(getpid());
  if (is_for_us && silence && *silence > 0 && *silence <= kMaxWatchdogUs) {
    watchdog = std::chrono::microseconds(static_cast<std::int64_t>(*silence));
  }
  return {std::move(socket), watchdog};
}

void ServiceManager::put_back() const {
  if (socket_.empty()) return;
  setenv("NOTIFY_SOCKET", socket_.c_str(), 1);
  if (!interval_) return;
  const auto silence = std::chrono::microseconds(*interval_ * 2);
  setenv("WATCHDOG_USEC", std::to_string(silence.count()).c_str(), 1);
}

bool ServiceManager::tell(std::string_view state, std::chrono::milliseconds patience) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_address = socket_.starts_with('/') || socket_.starts_with('@');
  if (!is_address || socket_.size() >= sizeof address.sun_path) return false;
  std::ranges::copy(socket_, static_cast<char*>(address.sun_path));
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());

  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return false;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const ssize_t sent = send(fd.get(), state.data(), state.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(state.size())) return true;
    const bool may_pass = sent < 0 && (errno == EAGAIN || errno == EINTR);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!may_pass || left.count() <= 0) return false;
    pollfd room{fd.get(), POLLOUT, 0};
    ::poll(&room, 1, static_cast<int>(left.count()));
  }
}

}  // namespace andon::base
