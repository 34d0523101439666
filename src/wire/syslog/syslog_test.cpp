// SPDX-License-Identifier: Apache-2.0
#include "wire/syslog/syslog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

SyslogMessage message(std::string text) {
  return {.severity = SyslogSeverity::warning,
          .time = base::from_epoch_millis(1'790'000'000'123),
          .id = "audit",
          .text = std::move(text)};
}

const sockaddr* as_address(const void* address) {
  return static_cast<const sockaddr*>(address);
}

std::string receive(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, 20'000) != 1) return "(nothing came)";
  std::string buffer(100'000, '\0');
  const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
  buffer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return buffer;
}

struct InetSocket {
  explicit InetSocket(int type) : fd(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd.get(), as_address(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(fd.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), &size),
              0);
    port = std::to_string(ntohs(address.sin_port));
  }
  base::UniqueFd fd;
  std::string port;
};

TEST(Syslog, ReadsItsTargets) {
  EXPECT_EQ(parse_syslog_target("unix:/dev/log").path, "/dev/log");
  const SyslogTarget udp = parse_syslog_target("udp:logs.example:514");
  EXPECT_EQ(udp.kind, SyslogTarget::Kind::udp);
  EXPECT_EQ(udp.host + " " + udp.port, "logs.example 514");
  EXPECT_EQ(parse_syslog_target("tcp:[::1]:601").host, "::1");
  for (const char* text : {"", "unix:", "unix:log", "udp:host", "udp::514", "tcp:host:0",
                           "tcp:host:70000", "tcp:::1:601", "http:host:80", "udp:a b:514"}) {
    EXPECT_THROW((void)parse_syslog_target(text), base::Error) << text;
  }
}

TEST(Syslog, WritesWhatTheStandardSays) {
  EXPECT_THAT(to_syslog_line(message("{}"), "plant", "andon"),
              MatchesRegex("<108>1 2026-09-21T14:13:20.123Z plant andon [0-9]+ audit - \\{\\}"));
}

TEST(Syslog, ReachesALocalSocket) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "log";
  const base::UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(fd.get(), as_address(&address), sizeof address), 0);
  SyslogSender sender(parse_syslog_target("unix:" + path), "andon");
  sender.send(message("one"));
  EXPECT_THAT(receive(fd.get()), HasSubstr(" audit - one"));
}

TEST(Syslog, ReachesAnotherMachineByUdpAndTcp) {
  const InetSocket udp(SOCK_DGRAM);
  SyslogSender by_udp(parse_syslog_target("udp:127.0.0.1:" + udp.port), "andon");
  by_udp.send(message("one"));
  EXPECT_THAT(receive(udp.fd.get()), HasSubstr(" audit - one"));

  const InetSocket tcp(SOCK_STREAM);
  ASSERT_EQ(listen(tcp.fd.get(), 1), 0);
  SyslogSender by_tcp(parse_syslog_target("tcp:127.0.0.1:" + tcp.port), "andon");
  by_tcp.send(message("two"));
  const base::UniqueFd accepted(accept(tcp.fd.get(), nullptr, nullptr));
  const std::string line = receive(accepted.get());
  const std::string frame = line.substr(0, line.find(' '));
  EXPECT_EQ(frame, std::to_string(line.size() - frame.size() - 1));
  EXPECT_THAT(line, HasSubstr(" audit - two"));
}

TEST(Syslog, OneThatIsAwayHoldsNobodyUpAndWhatHasNoRoomIsCounted) {
  SyslogSender sender(parse_syslog_target("unix:/nowhere/log"), "andon");
  for (int i = 0; i < 10'010; ++i) sender.send(message("m"));
  EXPECT_EQ(sender.counts().sent, 0U);
  EXPECT_EQ(sender.counts().dropped, 10U);
}

}  // namespace
}  // namespace andon::wire
