// SPDX-License-Identifier: Apache-2.0
#include "wire/websocket/web_socket.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <future>
#include <memory>

#include "base/error/error.hpp"
#include "wire/http/http_server.hpp"

namespace andon::wire {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using testing::HasSubstr;

// Says what it hears, and what it is told to say.
class Speaker {
 public:
  std::shared_ptr<WebSocket> make() {
    socket_ = std::make_shared<WebSocket>(
        WebSocketParts{.on_text = [this](const std::string& text) { say("heard " + text); },
                       .next = [this] { return next(); },
                       .on_gone = [this] { gone_.set_value(); }});
    return socket_;
  }
  void say(std::string text) {
    {
      const std::lock_guard lock(mutex_);
      texts_.push_back(std::move(text));
    }
    socket_->wake();
  }
  void end(WebSocketEnd how) { socket_->end(std::move(how)); }
  [[nodiscard]] std::future<void> gone() { return gone_.get_future(); }

 private:
  std::optional<std::string> next() {
    const std::lock_guard lock(mutex_);
    if (texts_.empty()) return std::nullopt;
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    return text;
  }
  std::shared_ptr<WebSocket> socket_;
  std::promise<void> gone_;
  std::mutex mutex_;
  std::deque<std::string> texts_;
};

class WebSocketTest : public testing::Test {
 protected:
  HttpServer serve(HttpUpgrader upgrade) {
    HttpServerOptions options;
    options.upgrade = std::move(upgrade);
    options.web_sockets = &web_socket_carrier();
    return {std::move(options), [](HttpRequest& request) {
              HttpResponse response;
              response.body = "plain " + request.path;
              return response;
            }};
  }
  HttpUpgrader speaking() {
    return [this](const HttpRequest&) { return HttpUpgrade{speaker.make()}; };
  }
  // Of the handshake.
  error_code connect(const HttpServer& server) {
    client.next_layer().connect({asio::ip::make_address("127.0.0.1"), server.port()});
    error_code error;
    client.handshake(answer, "127.0.0.1", "/socket", error);
    return error;
  }
  std::string read() {
    boost::beast::flat_buffer buffer;
    error_code error;
    client.read(buffer, error);
    return error ? "error: " + error.message() : boost::beast::buffers_to_string(buffer.data());
  }

  Speaker speaker;
  asio::io_context io;
  websocket::stream<asio::ip::tcp::socket> client{io};
  websocket::response_type answer;
};

TEST_F(WebSocketTest, TextsGoBothWays) {
  const HttpServer server = serve(speaking());
  ASSERT_FALSE(connect(server));
  client.write(asio::buffer(std::string("one")));
  EXPECT_EQ(read(), "heard one");
  speaker.say("two");
  speaker.say("three");
  EXPECT_EQ(read(), "two");
  EXPECT_EQ(read(), "three");
  client.close(websocket::close_code::normal);
  speaker.gone().get();
}

TEST_F(WebSocketTest, WhatWasSaidBeforeItBeganIsSent) {
  const HttpServer server = serve([this](const HttpRequest& request) {
    auto socket = speaker.make();
    speaker.say("early, at " + request.path);
    return HttpUpgrade{std::move(socket)};
  });
  ASSERT_FALSE(connect(server));
  EXPECT_EQ(read(), "early, at /socket");
  client.next_layer().close();
}

TEST_F(WebSocketTest, AnEndIsSaidWithItsReason) {
  const HttpServer server = serve(speaking());
  ASSERT_FALSE(connect(server));
  speaker.end({.code = 4401, .reason = "the session has ended"});
  EXPECT_THAT(read(), HasSubstr("error: "));
  EXPECT_EQ(client.reason().code, 4401);
  EXPECT_EQ(client.reason().reason, "the session has ended");
  speaker.gone().get();
}

TEST_F(WebSocketTest, AMessageThatIsNoTextEndsIt) {
  const HttpServer server = serve(speaking());
  ASSERT_FALSE(connect(server));
  client.binary(true);
  client.write(asio::buffer(std::string("x")));
  EXPECT_THAT(read(), HasSubstr("error: "));
  EXPECT_EQ(client.reason().code, websocket::close_code::unknown_data);
  speaker.gone().get();
}

TEST_F(WebSocketTest, AMessageThatIsTooLongEndsIt) {
  const HttpServer server = serve(speaking());
  ASSERT_FALSE(connect(server));
  client.write(asio::buffer(std::string(WebSocket::kMostReceived + 1, 'x')));
  EXPECT_THAT(read(), HasSubstr("error: "));
  EXPECT_EQ(client.reason().code, websocket::close_code::too_big);
  speaker.gone().get();
}

TEST_F(WebSocketTest, ARefusalIsAnswered) {
  const HttpServer server = serve([](const HttpRequest&) {
    HttpResponse refusal;
    refusal.status = 403;
    return HttpUpgrade{nullptr, std::move(refusal)};
  });
  EXPECT_EQ(connect(server), websocket::error::upgrade_declined);
  EXPECT_EQ(answer.result_int(), 403U);
}

TEST_F(WebSocketTest, ARequestForOneThatIsNotThereIsAnsweredAsAnyOther) {
  const HttpServer server = serve([](const HttpRequest&) { return HttpUpgrade{}; });
  EXPECT_EQ(connect(server), websocket::error::upgrade_declined);
  EXPECT_EQ(answer.result_int(), 200U);
  EXPECT_EQ(answer.body(), "plain /socket");
}

TEST_F(WebSocketTest, AnErrorOfTheOneWhoDecidesIsAnswered) {
  const HttpServer server = serve([](const HttpRequest&) -> HttpUpgrade {
    throw base::Error(base::ErrorCode::unavailable, "not now");
  });
  EXPECT_EQ(connect(server), websocket::error::upgrade_declined);
  EXPECT_EQ(answer.result_int(), 503U);
}

TEST_F(WebSocketTest, OneThatGoesWithoutAWordIsNoticed) {
  const HttpServer server = serve(speaking());
  ASSERT_FALSE(connect(server));
  client.next_layer().close();
  speaker.gone().get();
}

TEST_F(WebSocketTest, TheServersEndEndsIt) {
  auto gone = speaker.gone();
  {
    const HttpServer server = serve(speaking());
    ASSERT_FALSE(connect(server));
    speaker.end({.code = 1001, .reason = "the server stops"});
    EXPECT_THAT(read(), HasSubstr("error: "));
  }
  gone.get();
}

}  // namespace
}  // namespace andon::wire
