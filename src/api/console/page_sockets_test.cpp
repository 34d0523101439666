// SPDX-License-Identifier: Apache-2.0
#include "api/console/page_sockets.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "api/signin/cookie.hpp"
#include "api/testing/signed_request.hpp"

namespace andon::api {
namespace {

// No device answers.
class SilentCommands final : public FrameCommands {
 public:
  std::string start(const std::string&, fleet::CommandRequest,
                    const control::CommandAsker&) override {
    return "1";
  }
  void read(const std::string&, std::uint64_t, std::chrono::milliseconds,
            control::RunningCommands::Read) override {}
  void cancel(const std::string&, const std::string&) override {}
};

class PageSocketsTest : public ApiTest {
 protected:
  wire::HttpRequest ask() {
    const auto session = sessions.begin({.principal = "operator"});
    return received({.target = "/console/socket"},
                    {{"Host", "127.0.0.1:8080"},
                     {"Origin", "http://127.0.0.1:8080"},
                     {"Cookie", std::string(kSessionCookie) + "=" + session.token}});
  }

  control::Iam iam{*database, keys, clock, "000000000000"};
  control::Passwords passwords{*database, clock};
  control::Sessions sessions{*database, iam, passwords, clock};
  SignIn sign_in{{.iam = iam,
                  .passwords = passwords,
                  .sessions = sessions,
                  .clock = clock,
                  .region = "us-east-1",
                  .find = {}}};
  fleet::Arns arns;
  LiveFrames frames{std::make_unique<SilentCommands>()};
  std::optional<PageSockets> sockets{PageSocketParts{
      .sign_in = sign_in, .arns = arns, .clock = clock, .broker = {}, .frames = frames}};
};

TEST_F(PageSocketsTest, APageThatIsEndedByAStopGoesWithThemAndNotWithWhoHeldItLast) {
  std::shared_ptr<wire::WebSocket> socket = sockets->open(ask());
  socket->parts().on_text(R"({"watch": {"thing": "press-1"}})");
  ASSERT_EQ(frames.counts().viewers, 1U);
  sockets->stop();
  ASSERT_TRUE(socket->ending().has_value());
  EXPECT_EQ(socket->ending()->code, 1001);
  socket.reset();  // as its connection to the broker may, by the last message
  EXPECT_EQ(frames.counts().viewers, 1U);
  sockets.reset();
  EXPECT_EQ(frames.counts().viewers, 0U);
}

}  // namespace
}  // namespace andon::api
