// SPDX-License-Identifier: Apache-2.0
#include "inspect/metrics_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/error.hpp"
#include "base/log.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxHeadBytes = 8'192;

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

Address parse_address(const std::string& text) {
  const auto wrong = [&] {
    return Error(ErrorCode::invalid_argument,
                 fmt::format("'{}' is no address for metrics; write 127.0.0.1:9100", text));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw wrong();
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end) throw wrong();
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
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &bytes) != 0) return 0;
  in_port_t port = 0;  // at the same place in both
  std::memcpy(&port, reinterpret_cast<const char*>(&storage) + offsetof(sockaddr_in, sin_port),
              sizeof port);
  return ntohs(port);
}

// Until readable or writable as `events` says, or the moment has come.
bool wait_for(int fd, short events, SteadyClock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
  pollfd polled{fd, events, 0};
  return left.count() > 0 && poll(&polled, 1, static_cast<int>(left.count())) > 0;
}

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

std::string answer_metrics(std::string_view head, const std::function<std::string()>& page) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    return response("400 Bad Request", "text/plain", "this is no HTTP request\n");
  }
  const std::string_view method = line.substr(0, first);
  std::string_view path = line.substr(first + 1, second - first - 1);
  path = path.substr(0, path.find('?'));
  if (path != "/metrics") return response("404 Not Found", "text/plain", "try /metrics\n");
  if (method != "GET") return response("405 Method Not Allowed", "text/plain", "only GET\n");
  return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", page());
}

MetricsServer::MetricsServer(const std::string& text, std::function<std::string()> page,
                             std::chrono::milliseconds deadline)
    : page_(std::move(page)), deadline_(deadline), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const Address address = parse_address(text);
  listener_ = base::UniqueFd(
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  constexpr int kBacklog = 16;
  if (!listener_ || !stop_ ||
      setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.bytes) !=
          0 ||
      listen(listener_.get(), kBacklog) != 0) {
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot serve metrics on {}: {}", text, std::strerror(errno)));
  }
  port_ = bound_port(listener_.get());
  base::log_info("metrics are served", {{"port", port_}});
  thread_ = std::thread([this] { run(); });
}

MetricsServer::~MetricsServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void MetricsServer::run() {
  while (true) {
    std::array<pollfd, 2> polled{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) return;
    const base::UniqueFd client(
        accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) continue;
    try {
      serve(client.get());
    } catch (const std::exception& error) {
      base::log_warning("metrics could not be served", {{"error", error.what()}});
    }
  }
}

void MetricsServer::serve(int client) const {
  const auto until = SteadyClock::now() + deadline_;
  std::string head;
  std::array<char, 1'024> buffer{};
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (!wait_for(client, POLLIN, until)) return;
    const ssize_t count = recv(client, buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    head.append(buffer.data(), static_cast<std::size_t>(count));
    if (head.size() > kMaxHeadBytes) return;
  }
  const std::string answer = answer_metrics(head, page_);
  for (std::size_t at = 0; at < answer.size();) {
    if (!wait_for(client, POLLOUT, until)) return;
    const ssize_t count = send(client, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

}  // namespace andon::inspect
