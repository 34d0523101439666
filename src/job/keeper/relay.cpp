// SPDX-License-Identifier: Apache-2.0
#include "job/keeper/relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error/error.hpp"

namespace andon::job {
namespace {

constexpr std::size_t kMostConnections = 64;
constexpr std::size_t kMostBuffered = 65'536;  // of one direction

}  // namespace

Relay::Relay(base::UniqueFd listener, const std::string& address, std::uint16_t port)
    : listener_(std::move(listener)) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1) {
    std::memcpy(&target_, &four, sizeof four);
    target_size_ = sizeof four;
  } else if (inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1) {
    std::memcpy(&target_, &six, sizeof six);
    target_size_ = sizeof six;
  } else {
    throw base::Error(base::ErrorCode::invalid_argument, "'" + address + "' is no IP address");
  }
}

base::UniqueFd Relay::connect_out() const {
  base::UniqueFd socket(::socket(target_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* target = static_cast<const sockaddr*>(static_cast<const void*>(&target_));
  if (socket && connect(socket.get(), target, target_size_) != 0 && errno != EINPROGRESS) {
    socket.reset();
  }
  return socket;
}

void Relay::add_to(std::vector<pollfd>& waiting) const {
  if (connections_.size() < kMostConnections) waiting.push_back({listener_.get(), POLLIN, 0});
  for (const Connection& one : connections_) {
    const auto events = [](const Flow& read, const Flow& write) {
      int wanted = 0;
      if (!read.has_ended && read.buffered.empty()) wanted |= POLLIN;
      if (!write.buffered.empty()) wanted |= POLLOUT;
      return static_cast<short>(wanted);
    };
    waiting.push_back({one.inside.get(), events(one.out, one.in), 0});
    waiting.push_back({one.outside.get(), events(one.in, one.out), 0});
  }
}

void Relay::accept_all() {
  while (connections_.size() < kMostConnections) {
    base::UniqueFd inside(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!inside) return;
    base::UniqueFd outside = connect_out();
    if (!outside) continue;
    connections_.push_back({std::move(inside), std::move(outside), {}, {}});
  }
}

// False where the connection is broken.
bool Relay::pass(int from, int to, Flow& flow) {
  std::array<char, kMostBuffered> buffer;
  while (true) {
    while (!flow.buffered.empty()) {
      const ssize_t sent = send(to, flow.buffered.data(), flow.buffered.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
      flow.buffered.erase(0, static_cast<std::size_t>(sent));
    }
    if (flow.has_ended) {
      if (!flow.is_shut) shutdown(to, SHUT_WR);
      flow.is_shut = true;
      return true;
    }
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
    if (got == 0) flow.has_ended = true;
    flow.buffered.assign(buffer.data(), static_cast<std::size_t>(got));
  }
}

void Relay::turn() {
  accept_all();
  std::erase_if(connections_, [](Connection& one) {
    return !pass(one.inside.get(), one.outside.get(), one.out) ||
           !pass(one.outside.get(), one.inside.get(), one.in) ||
           (one.out.is_shut && one.in.is_shut);
  });
}

}  // namespace andon::job
