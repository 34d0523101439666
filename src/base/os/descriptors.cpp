// SPDX-License-Identifier: Apache-2.0
#include "base/os/descriptors.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

using Control = std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)>;

}  // namespace

void send_descriptors(int socket, std::string_view bytes, const std::vector<int>& descriptors) {
  if (bytes.empty() || descriptors.size() > kMostDescriptors) {
    throw Error(ErrorCode::internal, "descriptors cannot be sent: an empty message, or too many");
  }
  alignas(cmsghdr) Control control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t size = sizeof(int) * descriptors.size();
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), descriptors.data(), size);
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw system_error("cannot send to a process", errno);
  if (static_cast<std::size_t>(sent) != bytes.size()) {
    throw Error(ErrorCode::unavailable, "a message to a process was cut short");
  }
}

Received receive_descriptors(int socket, std::size_t most_bytes) {
  alignas(cmsghdr) Control control{};
  Received received;
  received.bytes.resize(most_bytes);
  iovec part{received.bytes.data(), most_bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno != EAGAIN && errno != ECONNRESET) {
    throw system_error("cannot receive from a process", errno);
  }
  received.has_closed = got == 0 || (got < 0 && errno == ECONNRESET);
  received.bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); got > 0 && head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::vector<int> fds(count);
    std::memcpy(fds.data(), CMSG_DATA(head), count * sizeof(int));
    for (const int fd : fds) received.descriptors.emplace_back(fd);
  }
  return received;
}

}  // namespace andon::base
