// SPDX-License-Identifier: Apache-2.0
#include "base/os/local_peer.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/os/file.hpp"

namespace andon::base {
namespace {

struct Pair {
  UniqueFd client;
  UniqueFd accepted;
};

// A connection over loopback whose client belongs to `user`.
Pair connect_as(uid_t user, int family) {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  if (family == AF_INET6) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    std::memcpy(&storage, &six, bytes = sizeof six);
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&storage, &four, bytes = sizeof four);
  }
  auto* address = static_cast<sockaddr*>(static_cast<void*>(&storage));
  const UniqueFd listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listener.get(), address, bytes), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(getsockname(listener.get(), address, &bytes), 0);
  Pair pair;
  const uid_t self = geteuid();
  EXPECT_EQ(seteuid(user), 0);
  pair.client = UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(pair.client.get(), address, bytes), 0);
  EXPECT_EQ(seteuid(self), 0);
  pair.accepted = UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return pair;
}

TEST(PeerUser, IsTheOneWhoConnected) {
  const uid_t other = geteuid() == 0 ? 12345 : geteuid();
  for (const int family : {AF_INET, AF_INET6}) {
    EXPECT_EQ(peer_user(connect_as(geteuid(), family).accepted.get()), geteuid()) << family;
    EXPECT_EQ(peer_user(connect_as(other, family).accepted.get()), other) << family;
  }
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const UniqueFd one(ends[0]);
  const UniqueFd two(ends[1]);
  EXPECT_EQ(peer_user(one.get()), geteuid());
}

TEST(PeerUser, IsNobodyWhereTheOtherEndIsClosed) {
  Pair pair = connect_as(geteuid(), AF_INET);
  pair.client.reset();
  EXPECT_EQ(peer_user(pair.accepted.get()), std::nullopt);
  EXPECT_EQ(peer_user(-1), std::nullopt);
}

}  // namespace
}  // namespace andon::base
