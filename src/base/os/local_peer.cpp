// SPDX-License-Identifier: Apache-2.0
#include "base/os/local_peer.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/os/file.hpp"

namespace andon::base {
namespace {

constexpr std::uint8_t kEstablished = 1;  // TCP_ESTABLISHED; a socket that was closed has no owner

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
};

void write_endpoint(const Endpoint& endpoint, __be16& port, __be32 (&address)[4]) {
  if (endpoint.storage.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &endpoint.storage, sizeof six);
    port = six.sin6_port;
    std::memcpy(address, &six.sin6_addr, sizeof six.sin6_addr);
    return;
  }
  sockaddr_in four{};
  std::memcpy(&four, &endpoint.storage, sizeof four);
  port = four.sin_port;
  std::memcpy(address, &four.sin_addr, sizeof four.sin_addr);
}

std::optional<uid_t> user_of_unix_peer(int socket) {
  ucred credentials{};
  socklen_t bytes = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return std::nullopt;
  return credentials.uid;
}

// Asks for the socket whose own end is `theirs`: the same connection, seen from the other side.
std::optional<uid_t> user_of_tcp_peer(const Endpoint& ours, const Endpoint& theirs) {
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = static_cast<std::uint8_t>(ours.storage.ss_family);
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  inet_diag_sockid& id = question.request.id;
  write_endpoint(theirs, id.idiag_sport, id.idiag_src);
  write_endpoint(ours, id.idiag_dport, id.idiag_dst);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink || send(netlink.get(), &question, sizeof question, 0) != sizeof question) {
    return std::nullopt;
  }
  // The answer is there when send() returns.
  std::array<char, 1024> answer{};
  const ssize_t got = recv(netlink.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  nlmsghdr header{};
  inet_diag_msg found{};
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof found))) return std::nullopt;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  if (found.idiag_state != kEstablished) return std::nullopt;
  return found.idiag_uid;
}

}  // namespace

std::optional<uid_t> peer_user(int socket) {
  Endpoint ours;
  Endpoint theirs;
  if (getsockname(socket, ours.get(), &ours.bytes) != 0) return std::nullopt;
  if (ours.storage.ss_family == AF_UNIX) return user_of_unix_peer(socket);
  if (getpeername(socket, theirs.get(), &theirs.bytes) != 0) return std::nullopt;
  return user_of_tcp_peer(ours, theirs);
}

}  // namespace andon::base
