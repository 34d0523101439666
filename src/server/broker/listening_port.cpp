// SPDX-License-Identifier: Apache-2.0
#include "server/broker/listening_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;

// The port that was bound for a moment; nothing where it is taken, with errno set.
std::optional<std::uint16_t> try_port(const std::string& address, std::uint16_t port) {
  sockaddr_storage storage{};
  auto* const generic = reinterpret_cast<sockaddr*>(&storage);
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  socklen_t size = 0;
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    size = sizeof *v6;
  } else {
    throw Error(ErrorCode::invalid_argument,
                "cannot listen on '" + address + "': it is not an IP address");
  }
  const base::UniqueFd socket_fd(socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_fd) throw base::system_error("cannot make a socket", errno);
  // As servers do: connections of an earlier one that linger do not count.
  const int yes = 1;
  setsockopt(socket_fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(socket_fd.get(), generic, size) != 0 || listen(socket_fd.get(), 1) != 0 ||
      getsockname(socket_fd.get(), generic, &size) != 0) {
    return std::nullopt;
  }
  return ntohs(generic->sa_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

std::string endpoint(const std::string& address, std::uint16_t port) {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

void require_free_port(const std::string& address, std::uint16_t port, const std::string& option) {
  if (try_port(address, port)) return;
  const int error_number = errno;
  throw Error(ErrorCode::unavailable, "cannot listen on " + endpoint(address, port) + ": " +
                                          std::strerror(error_number) +
                                          ": stop the program that has this port, or choose "
                                          "another with " +
                                          option);
}

std::uint16_t choose_port(const std::string& address, std::uint16_t preferred) {
  if (preferred != 0) {
    if (const auto port = try_port(address, preferred)) return *port;
  }
  const auto port = try_port(address, 0);
  if (!port) throw base::system_error("cannot find a free port on " + address, errno);
  return *port;
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace andon::server
