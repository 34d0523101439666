// SPDX-License-Identifier: Apache-2.0
// The server against raw sockets: exact bytes in, exact bytes out.
#include "wire/http/http_server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kPatienceMs = 10'000;

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int rc = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    if (rc != 0) throw base::system_error("cannot connect", errno);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Everything until the server closes.
  std::string read_to_end() {
    while (read_some()) {
    }
    return std::exchange(received_, {});
  }

  // Until `mark` has come; what follows it stays for the next call.
  std::string read_until(std::string_view mark) {
    std::size_t at = received_.find(mark);
    while (at == std::string::npos && read_some()) at = received_.find(mark);
    const std::size_t end = at == std::string::npos ? received_.size() : at + mark.size();
    std::string text = received_.substr(0, end);
    received_.erase(0, end);
    return text;
  }

 private:
  bool read_some() {
    pollfd waited{fd_.get(), POLLIN, 0};
    if (poll(&waited, 1, kPatienceMs) <= 0) return false;
    std::array<char, 65536> buffer;
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    received_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }

  base::UniqueFd fd_;
  std::string received_;
};

HttpResponse text(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

HttpResponse echo(HttpRequest& request) {
  return text(request.method + " " + request.path + " [" + request.body.read() + "]");
}

std::string ask(const HttpServer& server, std::string_view bytes) {
  RawClient client(server.port());
  client.send(bytes);
  return client.read_to_end();
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  const HttpServer server({}, echo);
  RawClient client(server.port());
  client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("[]"),
              testing::AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 11\r\n"),
                             HasSubstr("Connection: keep-alive\r\n")));
  EXPECT_THAT(client.read_until("[]"), HasSubstr("\r\n\r\nGET /two []"));
  client.send("GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), HasSubstr("Connection: close\r\n\r\nGET /three []"));
}

TEST(HttpServer, HandsTheRequestOverDecodedOnce) {
  std::string seen;
  const HttpServer server({}, [&](HttpRequest& request) {
    seen = request.path + " " + request.query_value("a b").value_or("-") + " " +
           request.query_value("flag").value_or("-") + " " + request.target;
    EXPECT_THAT(request.peer_address, StartsWith("127.0.0.1:"));
    EXPECT_EQ(request.headers.find("x-LINE"), "value");
    return text("");
  });
  (void)ask(server, "GET /b%2Fc?a+b=x%26y&&flag HTTP/1.0\r\nHost: a\r\nX-Line:   value \r\n\r\n");
  EXPECT_EQ(seen, "/b%2Fc x&y  /b%2Fc?a+b=x%26y&&flag");
}

struct Malformed {
  std::string_view request;
  std::string_view status;
};

TEST(HttpServer, AnswersWhatIsNotARequestWithAStatusAndAReason) {
  HttpServerOptions options;
  options.max_header_bytes = 4096;
  options.max_body_bytes = 1000;
  const HttpServer server(options, echo);
  std::string many_fields = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 10'000; ++i) many_fields += "X-" + std::to_string(i) + ": y\r\n";
  many_fields += "\r\n";
  const Malformed table[] = {
      {"not http at all\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n", "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
       "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
       "HTTP/1.1 400 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3ea\r\n", "HTTP/1.1 413 "},
      {"PUT / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 3\r\n\r\nabc",
       "HTTP/1.1 417 "},
      {many_fields, "HTTP/1.1 431 "},
  };
  for (const Malformed& row : table) {
    const std::string_view head = row.request.substr(0, 80);
    const std::string response = ask(server, row.request);
    EXPECT_THAT(response, StartsWith(row.status)) << head;
    EXPECT_THAT(response, HasSubstr("Connection: close\r\n")) << head;
    EXPECT_THAT(response, HasSubstr("Content-Type: text/plain")) << head;
  }
  EXPECT_THAT(ask(server, "GET /well HTTP/1.0\r\n\r\n"), HasSubstr("GET /well []"));
}

TEST(HttpServer, ReadsChunkedBodiesAndSaysContinueToWhoAsks) {
  const HttpServer server({}, echo);
  EXPECT_THAT(ask(server,
                  "PUT /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
              HasSubstr("PUT /c [abcde]"));
  RawClient client(server.port());
  client.send(
      "PUT /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_THAT(client.read_to_end(), HasSubstr("PUT /e [hello]"));
}

TEST(HttpServer, RefusesATooLargeBodyBeforeItIsSent) {
  HttpServerOptions options;
  options.max_body_bytes = 10;
  const HttpServer server(options, echo);
  EXPECT_THAT(ask(server,
                  "PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  "Content-Length: 11\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, ReadsASmallBodyUnaskedUnlessTheClientWaitsForLeave) {
  HttpServerOptions options;
  options.unasked_body_bytes = 5;
  options.admit = [](const HttpRequest&) -> HttpAdmission { return {text("refused"), 0}; };
  const HttpServer server(options, [](HttpRequest& request) { return text(request.body.read()); });
  const auto answer = [&server](const std::string& fields, const std::string& body) {
    return ask(server,
               "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n" + body);
  };
  EXPECT_THAT(answer("Content-Length: 5\r\n", "small"), HasSubstr("small"));
  EXPECT_THAT(answer("Content-Length: 6\r\n", "larger"), HasSubstr("refused"));
  EXPECT_THAT(answer("Content-Length: 5\r\nExpect: 100-continue\r\n", ""), HasSubstr("refused"));
  EXPECT_THAT(answer("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"),
              HasSubstr("refused"));
}

TEST(HttpServer, LooksAtTheBeginningOfALargeBodyAndReadsNoMoreOfWhatIsRefused) {
  HttpServerOptions options;
  options.look_after_bytes = 5;
  options.look = [](const HttpRequest& start) -> std::optional<HttpResponse> {
    if (start.body.read().starts_with("wrong")) return text("refused");
    return std::nullopt;
  };
  const HttpServer server(options, [](HttpRequest& request) { return text(request.body.read()); });
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  // The rest of the first one never comes.
  EXPECT_THAT(ask(server, head + "Content-Length: 1000000\r\n\r\nwrong, and"),
              HasSubstr("refused"));
  EXPECT_THAT(ask(server, head + "Content-Length: 10\r\n\r\nright, all"), HasSubstr("right, all"));
  // What is there as a whole is the handler's.
  EXPECT_THAT(ask(server, head + "Content-Length: 5\r\n\r\nwrong"), HasSubstr("wrong"));
}

TEST(HttpServer, SpoolsALargeBodyToAFileThatHasNoName) {
  const base::TemporaryDirectory directory;
  HttpServerOptions options;
  options.spool_directory = directory.path();
  options.body_in_memory_bytes = 1000;
  std::string expected(300'000, 'x');
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<char>('a' + i % 26);
  const HttpServer server(options, [&](HttpRequest& request) {
    EXPECT_EQ(request.body.size(), expected.size());
    EXPECT_EQ(request.body.read(), expected);
    EXPECT_THROW((void)request.body.read(1000), base::Error);
    std::array<char, 10> part;
    EXPECT_EQ(request.body.read_at(expected.size() - 4, part.data(), part.size()), 4U);
    EXPECT_EQ(request.body.read_at(expected.size(), part.data(), part.size()), 0U);
    EXPECT_TRUE(base::fs::is_empty(directory.path()));
    return text("done");
  });
  EXPECT_THAT(ask(server,
                  "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  "Content-Length: 300000\r\n\r\n" +
                      expected),
              HasSubstr("done"));
}

TEST(HttpServer, SendsPartOfAFile) {
  const base::TemporaryDirectory directory;
  const base::fs::path path = directory.path() / "file";
  std::string content(1'000'000, 'x');
  content.front() = 'a';
  content.back() = 'z';
  base::write_file_atomically(path, content);
  const HttpServer server({}, [&](HttpRequest& request) {
    HttpResponse response;
    if (request.path == "/short") {
      response.body = FileBody{base::open_file(path, O_RDONLY), 10, content.size()};
    } else {
      response.body = FileBody{base::open_file(path, O_RDONLY), 1, content.size() - 1};
    }
    return response;
  });
  const std::string whole = ask(server, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(whole, HasSubstr("Content-Length: 999999\r\n"));
  EXPECT_TRUE(whole.ends_with("\r\n\r\n" + content.substr(1)));
  // A file that is shorter than promised ends the connection: the client sees that bytes lack.
  const std::string cut = ask(server, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_LT(cut.size(), content.size());
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  const HttpServer server({}, [](HttpRequest& request) {
    HttpResponse response = text(request.path == "/own" ? "" : "body");
    if (request.path == "/own") response.headers.set("Content-Length", "123");
    if (request.path == "/none") response.status = 204;
    return response;
  });
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 4\r\n"));
  client.send("HEAD /own HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 123\r\n"));
  client.send("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string none = client.read_to_end();
  EXPECT_THAT(none, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_TRUE(none.ends_with("\r\n\r\n"));
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
}

TEST(HttpServer, TurnsExceptionsIntoStatuses) {
  const HttpServer server({}, [](HttpRequest& request) -> HttpResponse {
    if (request.path == "/missing") {
      throw base::Error(base::ErrorCode::not_found, "no thing 'cam-1'");
    }
    if (request.path == "/split") {
      HttpResponse response;
      response.headers.add("X-Bad", "a\r\nSet-Cookie: b");
      return response;
    }
    throw std::runtime_error("secret detail");
  });
  const std::string missing = ask(server, "GET /missing HTTP/1.0\r\n\r\n");
  EXPECT_THAT(missing, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(missing, HasSubstr("\r\n\r\nno thing 'cam-1'\n"));
  const std::string broken = ask(server, "GET /broken HTTP/1.0\r\n\r\n");
  EXPECT_THAT(broken, StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(broken.find("secret"), std::string::npos);
  EXPECT_EQ(ask(server, "GET /split HTTP/1.0\r\n\r\n").find("Set-Cookie"), std::string::npos);
}

TEST(HttpServer, DropsClientsThatStayIdleOrSendTooSlowly) {
  HttpServerOptions options;
  options.idle_timeout = 50ms;
  options.io_timeout = 50ms;
  const HttpServer server(options, echo);
  EXPECT_EQ(ask(server, ""), "");
  EXPECT_EQ(ask(server, "GET / HTTP/1.1\r\nHos"), "");
  EXPECT_EQ(ask(server, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"), "");
  // A byte now and then does not count as progress of a header.
  RawClient trickle(server.port());
  std::jthread feeder([&](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any tick;
    while (!stop.stop_requested()) {
      trickle.send("X");
      std::unique_lock lock(mutex);
      tick.wait_for(lock, stop, 10ms, [] { return false; });
    }
  });
  EXPECT_EQ(trickle.read_to_end(), "");
}

TEST(HttpServer, MakesRoomByClosingTheConnectionThatHasWaitedLongest) {
  HttpServerOptions options;
  options.max_connections = 2;
  const HttpServer server(options, echo);
  RawClient first(server.port());
  first.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(first.read_until("[]"), HasSubstr("GET /1 []"));
  RawClient second(server.port());
  second.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(second.read_until("[]"), HasSubstr("GET /2 []"));
  EXPECT_THAT(ask(server, "GET /3 HTTP/1.0\r\n\r\n"), HasSubstr("GET /3 []"));
  EXPECT_EQ(first.read_to_end(), "");
  second.send("GET /4 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(second.read_to_end(), HasSubstr("GET /4 []"));
}

TEST(HttpServer, ReadsNoBodyOfARequestThatItsHeadDoesNotAdmit) {
  HttpServerOptions options;
  options.admit = [](const HttpRequest& head) -> HttpAdmission {
    if (head.path == "/small") return {std::nullopt, 4};
    HttpResponse refusal = text("who are you?");
    refusal.status = 403;
    return {std::move(refusal), 0};
  };
  std::atomic<int> handled = 0;
  const HttpServer server(options, [&](HttpRequest& request) {
    ++handled;
    return echo(request);
  });
  // The answer comes although not one byte of the body was sent.
  const std::string refused =
      ask(server, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 314572800\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(refused, HasSubstr("who are you?"));
  EXPECT_THAT(ask(server, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask(server, "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(server,
                  "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\n12345\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(handled, 0);
  EXPECT_THAT(ask(server,
                  "POST /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                  "Content-Length: 4\r\n\r\n1234"),
              HasSubstr("POST /small [1234]"));
}

TEST(HttpServer, RefusesWhatTwoServersMightReadDifferently) {
  const HttpServer server({}, echo);
  for (const std::string encoding :
       {"xchunked", "gzip", "gzip, chunked", "chunked, chunked", "identity", "chunked;q=1",
        "chunked\r\nTransfer-Encoding: gzip", "chunked\r\nTransfer-Encoding: chunked"}) {
    EXPECT_THAT(
        ask(server, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + encoding + "\r\n\r\n"),
        testing::MatchesRegex("HTTP/1.1 (501|400)[^Z]*"))
        << encoding;
  }
  EXPECT_THAT(ask(server, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  for (const std::string folded : {"X-A: b\r\n c", "X-A:\r\n b", "X-A: b\r\n\tc\r\n d",
                                   "Content-Length: 1\r\n 0", "X-A: \r\n \r\n c"}) {
    EXPECT_THAT(ask(server, "POST / HTTP/1.1\r\nHost: a\r\n" + folded + "\r\n\r\n"),
                StartsWith("HTTP/1.1 400"))
        << folded;
  }
  EXPECT_THAT(ask(server,
                  "GET /ok HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX-Wide: \t b c \r\n"
                  "Connection: close\r\n\r\n"),
              HasSubstr("GET /ok"));
  EXPECT_THAT(ask(server,
                  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
}

TEST(HttpServer, StoresNoMoreBodiesAtOnceThanItIsTold) {
  HttpServerOptions options;
  options.body_in_memory_bytes = 1000;
  options.max_spooling_bytes = 100'000;
  const HttpServer server(
      options, [](HttpRequest& request) { return text(std::to_string(request.body.size())); });
  const auto post = [&](std::size_t size) {
    return ask(server, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
                           std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
  };
  EXPECT_THAT(post(90'000), HasSubstr("90000"));
  EXPECT_THAT(post(500'000), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(post(90'000), HasSubstr("90000")) << "what was taken is given back";
}

TEST(HttpServer, ABodyThatDripsLosesItsPlaceToANewConnection) {
  HttpServerOptions options;
  options.max_connections = 2;
  const HttpServer server(options, echo);
  RawClient first(server.port());
  RawClient second(server.port());
  for (RawClient* const drip : {&first, &second}) {
    drip->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx");
  }
  // Refused while nobody has been slow for long enough.
  std::string answer;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (answer.empty() && std::chrono::steady_clock::now() < deadline) {
    answer = ask(server, "GET /3 HTTP/1.0\r\n\r\n");
  }
  EXPECT_THAT(answer, HasSubstr("GET /3 []"));
}

TEST(HttpServer, FinishesTheRequestInHandWhenDestroyed) {
  std::mutex mutex;
  std::condition_variable changed;
  bool started = false;
  bool released = false;
  auto server = std::make_unique<HttpServer>(HttpServerOptions{}, [&](HttpRequest&) {
    std::unique_lock lock(mutex);
    started = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    return text("finished");
  });
  RawClient idle(server->port());
  RawClient busy(server->port());
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 10s, [&] { return started; }));
  }
  std::thread destroyer([&] { server.reset(); });
  EXPECT_EQ(idle.read_to_end(), "");
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  EXPECT_THAT(busy.read_to_end(),
              testing::AllOf(HasSubstr("Connection: close\r\n"), HasSubstr("finished")));
  destroyer.join();
}

TEST(HttpServer, SaysWhereItCannotListen) {
  const HttpServer first({}, echo);
  HttpServerOptions options;
  options.port = first.port();
  try {
    const HttpServer second(options, echo);
    FAIL() << "two servers on one port";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("127.0.0.1 port " + std::to_string(first.port())));
  }
  options.address = "localhost";
  EXPECT_THROW((HttpServer{options, echo}), base::Error);
}

}  // namespace
}  // namespace andon::wire
