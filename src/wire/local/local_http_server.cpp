// SPDX-License-Identifier: Apache-2.0
#include "wire/local/local_http_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/local_peer.hpp"
#include "base/text/number.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

// What epoll says of the sockets that are no connection; connections are numbered from 1.
constexpr std::uint64_t kListener = UINT64_MAX;
constexpr std::uint64_t kTimer = UINT64_MAX - 1;
constexpr int kBacklog = 256;

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  [[nodiscard]] const sockaddr* get() const {
    return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
  }
};

Address parse_address(const std::string& text) {
  const auto wrong = [&] {
    return Error(ErrorCode::invalid_argument,
                 fmt::format("'{}' is no address to listen on; write 127.0.0.1:9100", text));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw wrong();
  const auto read_port =
      base::parse_integer<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (!read_port) throw wrong();
  const std::uint16_t port = *read_port;
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  Address address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six.sin6_addr) != 1) {
      throw wrong();
    }
    std::memcpy(&address.storage, &six, sizeof six);
    address.bytes = sizeof six;
    return address;
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) throw wrong();
  std::memcpy(&address.storage, &four, sizeof four);
  address.bytes = sizeof four;
  return address;
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  auto* plain = static_cast<sockaddr*>(static_cast<void*>(&storage));
  if (getsockname(socket, plain, &bytes) != 0) return 0;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &storage, sizeof six);
    return ntohs(six.sin6_port);
  }
  sockaddr_in four{};
  std::memcpy(&four, &storage, sizeof four);
  return ntohs(four.sin_port);
}

void watch(int epoll, int operation, int fd, std::uint64_t id, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) {
    throw base::system_error("cannot watch a socket", errno);
  }
}

}  // namespace

LocalHttpServer::LocalHttpServer(const std::string& address, Handler handler,
                                 const LocalHttpLimits& limits)
    : handler_(std::move(handler)),
      limits_(limits),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      shares_(limits.connections) {
  listen(address);
  begin();
}

LocalHttpServer::LocalHttpServer(base::UniqueFd listener, Handler handler,
                                 const LocalHttpLimits& limits)
    : handler_(std::move(handler)),
      limits_(limits),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      listener_(std::move(listener)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      users_(Users::one),
      shares_(limits.connections) {
  port_ = bound_port(listener_.get());
  begin();
}

void LocalHttpServer::begin() {
  if (!epoll_ || !timer_) throw base::system_error("cannot make an HTTP server", errno);
  watch(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), kListener, EPOLLIN);
  watch(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), kTimer, EPOLLIN);
}

LocalHttpServer::~LocalHttpServer() {
  *alive_ = false;
}

void LocalHttpServer::listen(const std::string& text) {
  const Address address = parse_address(text);
  listener_ = base::UniqueFd(
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  const int shared = limits_.port == PortUse::shared ? 1 : 0;
  if (!listener_ || setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEPORT, &shared, sizeof shared) != 0 ||
      bind(listener_.get(), address.get(), address.bytes) != 0 ||
      ::listen(listener_.get(), kBacklog) != 0) {
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot listen on {}: {}", text, std::strerror(errno)));
  }
  port_ = bound_port(listener_.get());
}

void LocalHttpServer::turn() {
  std::array<epoll_event, 16> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kListener) {
      accept_all();
    } else if (event.data.u64 == kTimer) {
      std::uint64_t expirations = 0;
      [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &expirations, sizeof expirations);
    } else {
      handle(event.data.u64, event.events);
    }
  }
  drop_late();
  set_timer();
}

void LocalHttpServer::accept_all() {
  for (;;) {
    base::UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    const Id id = ++last_id_;
    const std::optional<Id> leaves =
        shares_.admit(id, users_ == Users::one ? std::nullopt : base::peer_user(socket.get()));
    if (leaves == id) continue;
    if (leaves) drop(*leaves);
    watch(epoll_.get(), EPOLL_CTL_ADD, socket.get(), id, EPOLLIN);
    Connection& connection = connections_[id];
    connection.socket = std::move(socket);
    connection.deadline = std::chrono::steady_clock::now() + limits_.deadline;
    // Most have sent it already: who is answered need not give way to those behind him.
    read(id, connection);
  }
}

void LocalHttpServer::handle(Id id, std::uint32_t events) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if ((events & EPOLLOUT) != 0) return write(id, found->second);
  read(id, found->second);
}

void LocalHttpServer::read(Id id, Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t got = recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(id);
  if (connection.phase != Phase::reading) return;  // more than one request: not read
  connection.received.append(buffer.data(), static_cast<std::size_t>(got));
  try {
    const auto request = parse_local_http(connection.received, limits_.size);
    if (!request) return;
    connection.received.clear();
    connection.phase = Phase::waiting;
    connection.deadline = std::chrono::steady_clock::now() + limits_.answer_deadline;
    shares_.hold(id);
    handler_(*request, [this, id, alive = std::weak_ptr(alive_)](const LocalHttpAnswer& given) {
      if (!alive.expired()) answer(id, given);
    });
  } catch (const Error& error) {
    const bool too_large = error.code() == ErrorCode::resource_exhausted;
    answer(id, {too_large ? 413 : 400, "text/plain", error.message() + '\n'});
  }
}

void LocalHttpServer::answer(Id id, const LocalHttpAnswer& answer) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (connection.phase != Phase::reading && connection.phase != Phase::waiting) return;
  connection.unsent = to_text(answer);
  connection.phase = Phase::writing;
  connection.deadline = std::chrono::steady_clock::now() + limits_.deadline;
  shares_.release(id);
  write(id, connection);
}

void LocalHttpServer::write(Id id, Connection& connection) {
  while (!connection.unsent.empty()) {
    const ssize_t sent = send(connection.socket.get(), connection.unsent.data(),
                              connection.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      return watch(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), id, EPOLLIN | EPOLLOUT);
    }
    if (sent < 0) return drop(id);
    connection.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  // To close now, with bytes of the client unread, could take the answer from it: it closes first.
  connection.phase = Phase::draining;
  shutdown(connection.socket.get(), SHUT_WR);
  watch(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), id, EPOLLIN);
}

void LocalHttpServer::drop(Id id) {
  shares_.remove(id);
  connections_.erase(id);  // closing the socket takes it out of epoll
}

void LocalHttpServer::drop_late() {
  const Instant now = std::chrono::steady_clock::now();
  std::erase_if(connections_, [&](const auto& one) {
    const bool is_late = one.second.deadline <= now;
    if (is_late) shares_.remove(one.first);
    return is_late;
  });
}

void LocalHttpServer::set_timer() {
  std::optional<Instant> first;
  for (const auto& [id, connection] : connections_) {
    first = first ? std::min(*first, connection.deadline) : connection.deadline;
  }
  itimerspec when{};
  if (first) {
    const auto left = std::max<std::chrono::nanoseconds>(*first - std::chrono::steady_clock::now(),
                                                         std::chrono::nanoseconds{1});
    when.it_value.tv_sec = left / std::chrono::seconds{1};
    when.it_value.tv_nsec = (left % std::chrono::seconds{1}).count();
  }
  timerfd_settime(timer_.get(), 0, &when, nullptr);
}

}  // namespace andon::wire
