// SPDX-License-Identifier: Apache-2.0
#include "edge/credentials/token_exchange.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::milliseconds kLimit{20'000};

class TokenExchangeTest : public testing::Test {
 protected:
  TokenExchangeTest() { clock_.advance(std::chrono::hours(24)); }

  base::UniqueFd ask(const std::string& text) {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(exchange_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(connect(fd.get(), plain, sizeof address), 0);
    EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return fd;
  }
  // The whole answer.
  std::string answer(const base::UniqueFd& fd) {
    std::string all;
    const bool ended = loop_.run_until(
        [&] {
          char buffer[4096];
          const ssize_t got = recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
          if (got > 0) all.append(buffer, static_cast<std::size_t>(got));
          if (got != 0) loop_.post([] {});
          return got == 0;
        },
        kLimit);
    EXPECT_TRUE(ended);
    return all;
  }
  std::string get(const std::string& token) {
    return answer(
        ask("GET /2016-11-01/credentialprovider/ HTTP/1.1\r\nHost: localhost\r\n"
            "Authorization: " +
            token + "\r\n\r\n"));
  }

  base::FakeClock clock_;
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  std::atomic<int> fetched_{0};
  std::atomic<bool> fails_{false};
  std::chrono::minutes valid_for_{60};
  TokenExchange exchange_{{loop_, clock_,
                           [](std::string_view token) -> std::optional<std::string> {
                             if (token == "SECRET") return "com.example.App";
                             return std::nullopt;
                           },
                           [this] {
                             ++fetched_;
                             if (fails_) {
                               throw base::Error(base::ErrorCode::unavailable, "server is down");
                             }
                             return fleet::TemporaryCredentials{
                                 "AKID", "KEY", "TOKEN",
                                 base::to_iso8601(clock_.now() + valid_for_)};
                           }}};
};

TEST_F(TokenExchangeTest, HandsOutCredentialsAsTheSdkReadsThemAndKeepsThem) {
  const std::string text = get("SECRET");
  ASSERT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n")) << text;
  const auto body = base::parse_json(text.substr(text.find("\r\n\r\n") + 4), "answer").as_object();
  EXPECT_EQ(body.at("AccessKeyId"), "AKID");
  EXPECT_EQ(body.at("SecretAccessKey"), "KEY");
  EXPECT_EQ(body.at("Token"), "TOKEN");
  EXPECT_TRUE(body.contains("Expiration"));
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(fetched_, 1);
  clock_.advance(std::chrono::minutes(56));  // five minutes before they expire they count no more
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(fetched_, 2);
}

TEST_F(TokenExchangeTest, TellsNothingToStrangersAndBadRequests) {
  EXPECT_TRUE(get("WRONG").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(answer(ask("GET /2016-11-01/credentialprovider HTTP/1.1\r\n\r\n"))
                  .starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(answer(ask("GET /else HTTP/1.1\r\nAuthorization: SECRET\r\n\r\n"))
                  .starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(answer(ask("PUT /2016-11-01/credentialprovider HTTP/1.1\r\nAuthorization: SECRET"
                         "\r\n\r\n"))
                  .starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(answer(ask("nonsense\r\n\r\n")).starts_with("HTTP/1.1 400"));
  EXPECT_EQ(fetched_, 0);
}

TEST_F(TokenExchangeTest, AFailureIsRepeatedForTenSecondsAndThenTriedAgain) {
  fails_ = true;
  const std::string text = get("SECRET");
  EXPECT_TRUE(text.starts_with("HTTP/1.1 503")) << text;
  EXPECT_NE(text.find("server is down"), std::string::npos) << text;
  fails_ = false;
  loop_clock_.advance(std::chrono::seconds(9));
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 503"));
  EXPECT_EQ(fetched_, 1);
  loop_clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 200"));
}

TEST_F(TokenExchangeTest, AClockThatIsSetBackDoesNotKeepAFailure) {
  fails_ = true;
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 503"));
  fails_ = false;
  clock_.advance(-std::chrono::hours(24 * 3650));
  loop_clock_.advance(std::chrono::seconds(10));
  EXPECT_TRUE(get("SECRET").starts_with("HTTP/1.1 200"));
}

TEST_F(TokenExchangeTest, CredentialsThatHaveExpiredAlreadyAreNotHandedOut) {
  valid_for_ = std::chrono::minutes(-1);
  const std::string text = get("SECRET");
  EXPECT_TRUE(text.starts_with("HTTP/1.1 503")) << text;
  EXPECT_NE(text.find("clock"), std::string::npos) << text;
}

TEST_F(TokenExchangeTest, ThoseWhoAskMeanwhileShareOneFetch) {
  const std::string request =
      "GET /2016-11-01/credentialprovider HTTP/1.1\r\nAuthorization: SECRET\r\n\r\n";
  const base::UniqueFd one = ask(request);
  const base::UniqueFd two = ask(request);
  EXPECT_TRUE(answer(one).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(answer(two).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(fetched_, 1);
}

}  // namespace
}  // namespace andon::edge
