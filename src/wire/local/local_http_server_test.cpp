// SPDX-License-Identifier: Apache-2.0
#include "wire/local/local_http_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using std::chrono::milliseconds;

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(connect(fd_.get(), plain, sizeof address), 0);
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What has come so far.
  const std::string& received() {
    char buffer[65536];
    for (;;) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN)) closed_ = true;
      if (got <= 0) return text_;
      text_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool closed() {
    received();
    return closed_;
  }

 private:
  base::UniqueFd fd_;
  std::string text_;
  bool closed_ = false;
};

bool turn_until(LocalHttpServer& server, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    pollfd polled{server.fd(), POLLIN, 0};
    poll(&polled, 1, 5);
    server.turn();
  }
  return true;
}

void echo(const LocalHttpRequest& request, const LocalHttpServer::Reply& reply) {
  reply({200, "text/plain", request.method + ' ' + request.path + ' ' + request.body});
}

TEST(LocalHttpServer, AnswersOneRequestAndCloses) {
  LocalHttpServer server("127.0.0.1:0", echo, {.size = {.body_bytes = 10}});
  Client client(server.port());
  client.send("PUT /a?x=1 HTTP/1.1\r\ncontent-LENGTH: 3\r\n");
  EXPECT_FALSE(client.closed());
  client.send("\r\nab");
  client.send("cGET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return client.closed(); }));
  EXPECT_EQ(client.received(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            "Content-Length: 10\r\n\r\nPUT /a abc");
}

TEST(LocalHttpServer, AnAnswerThatComesLaterFindsItsClientOrNobody) {
  std::vector<LocalHttpServer::Reply> replies;
  LocalHttpServer server("127.0.0.1:0",
                         [&](const auto&, const auto& reply) { replies.push_back(reply); });
  auto gone = std::make_unique<Client>(server.port());
  gone->send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return replies.size() == 1; }));
  gone.reset();
  Client client(server.port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return replies.size() == 2; }));
  for (const auto& reply : replies) reply({.body = "late"});
  replies.back()({.body = "twice"});
  ASSERT_TRUE(turn_until(server, [&] { return client.closed(); }));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\nlate")) << client.received();
}

TEST(LocalHttpServer, SendsAnAnswerThatIsLargerThanTheSocketsBuffer) {
  const std::string body(20U << 20U, 'x');
  LocalHttpServer server("127.0.0.1:0",
                         [&](const auto&, const auto& reply) { reply({.body = body}); });
  Client client(server.port());
  client.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return client.closed(); }));
  EXPECT_GT(client.received().size(), body.size());
}

TEST(LocalHttpServer, DropsWhoIsTooSlowWithoutDelayingOthers) {
  LocalHttpServer server("127.0.0.1:0", echo, {.deadline = milliseconds{100}});
  Client slow(server.port());
  slow.send("GET / HT");
  Client quick(server.port());
  quick.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return quick.closed(); }));
  EXPECT_TRUE(quick.received().starts_with("HTTP/1.1 200"));
  ASSERT_TRUE(turn_until(server, [&] { return slow.closed(); }));
  EXPECT_EQ(slow.received(), "");
}

TEST(LocalHttpServer, WhoOnlyConnectsGivesWayToTheNext) {
  LocalHttpServer server("127.0.0.1:0", echo,
                         {.connections = {.guests_of_user = 4}, .deadline = std::chrono::hours{1}});
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(std::make_unique<Client>(server.port()));
    server.turn();
  }
  Client asks(server.port());
  asks.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return asks.closed(); }));
  EXPECT_TRUE(asks.received().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(idle.front()->closed());
  EXPECT_FALSE(idle.back()->closed());
}

TEST(LocalHttpServer, WhoWaitsForItsAnswerDoesNotGiveWay) {
  std::vector<LocalHttpServer::Reply> replies;
  LocalHttpServer server("127.0.0.1:0",
                         [&](const auto&, const auto& reply) { replies.push_back(reply); },
                         {.connections = {.guests_of_user = 2}});
  Client waits(server.port());
  waits.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return replies.size() == 1; }));
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 10; ++i) {
    idle.push_back(std::make_unique<Client>(server.port()));
    server.turn();
  }
  replies.front()({.body = "at last"});
  ASSERT_TRUE(turn_until(server, [&] { return waits.closed(); }));
  EXPECT_TRUE(waits.received().ends_with("\r\n\r\nat last")) << waits.received();
}

TEST(LocalHttpServer, OneUserTakesNothingFromAnother) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  LocalHttpServer server(
      "127.0.0.1:0", echo,
      {.connections = {.guests = 8, .guests_of_user = 4}, .deadline = std::chrono::hours{1}});
  Client mine(server.port());
  mine.send("GET / HT");
  server.turn();
  const auto as_user = [&](uid_t user, int count) {
    std::vector<std::unique_ptr<Client>> clients;
    EXPECT_EQ(seteuid(user), 0);
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Client>(server.port()));
      server.turn();
    }
    EXPECT_EQ(seteuid(0), 0);
    return clients;
  };
  const auto theirs = as_user(12345, 33);
  EXPECT_FALSE(mine.closed());
  EXPECT_TRUE(theirs.front()->closed());
  EXPECT_FALSE(theirs.back()->closed());
  mine.send("TP/1.1\r\n\r\n");
  ASSERT_TRUE(turn_until(server, [&] { return mine.closed(); }));
}

TEST(LocalHttpServer, RefusesWhatIsTooLargeOrNoRequest) {
  const auto status_of = [](const std::string& text) {
    LocalHttpServer server("127.0.0.1:0", echo, {.size = {.body_bytes = 10}});
    Client client(server.port());
    client.send(text);
    EXPECT_TRUE(turn_until(server, [&] { return client.closed(); })) << text;
    return client.received().substr(0, 12);
  };
  EXPECT_EQ(status_of("\x16\x03\x01 nonsense\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/2\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n: x\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nX-A: b\r\n c: d\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n"),
            "HTTP/1.1 400");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), "HTTP/1.1 413");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
            "HTTP/1.1 413");
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'x')), "HTTP/1.1 413");
}

TEST(LocalHttpServer, SaysWhatIsWrongWithItsAddress) {
  for (const char* address : {"9100", "here:9100", "127.0.0.1:99999", "127.0.0.1:", "[::1:1"}) {
    EXPECT_THROW(LocalHttpServer(address, echo), base::Error) << address;
  }
  const LocalHttpServer first("[::1]:0", echo);
  try {
    const LocalHttpServer second("[::1]:" + std::to_string(first.port()), echo);
    ADD_FAILURE() << "two servers on one port";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
  }
}

}  // namespace
}  // namespace andon::wire
