// SPDX-License-Identifier: Apache-2.0
// A connection of the HTTP server from the request that makes a WebSocket of it until its end: one
// coroutine reads, one writes, both on the I/O thread. A client that is silent is asked by a ping,
// and given up where it does not answer within a minute.
#include "wire/websocket/web_socket_carrier.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <string>
#include <utility>

#include "wire/websocket/run_on.hpp"

namespace andon::wire {
namespace {

namespace websocket = boost::beast::websocket;

// `stream` is Beast's, plain or TLS, and outlives it.
template <typename Stream>
class WebSocketSession {
 public:
  WebSocketSession(Stream& stream, std::shared_ptr<WebSocket> socket,
                   boost::asio::thread_pool& handlers)
      : socket_(std::move(socket)), handlers_(handlers), stream_(stream) {}

  boost::asio::awaitable<void> run(const WebSocketCarrier::Request& request) {
    boost::beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(websocket::stream_base::timeout{
        .handshake_timeout = kHandshake, .idle_timeout = kIdle, .keep_alive_pings = true});
    stream_.read_message_max(WebSocket::kMostReceived);
    const auto [error] = co_await stream_.async_accept(request, kTuple);
    if (!error) co_await serve();
    socket_->has_gone();
  }

 private:
  static constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);
  static constexpr std::chrono::seconds kHandshake{10};
  static constexpr std::chrono::seconds kIdle{60};

  // What both coroutines wait with; outlives the connection where a wake() is under way.
  struct Bell {
    explicit Bell(const boost::asio::any_io_executor& executor)
        : timer(executor, boost::asio::steady_timer::time_point::max()) {}
    void ring() {
      has_rung = true;
      timer.cancel();
    }
    boost::asio::steady_timer timer;
    bool has_rung = true;  // what there is already is looked for at first
  };

  boost::asio::awaitable<void> serve() {
    const auto executor = stream_.get_executor();
    bell_ = std::make_shared<Bell>(executor);
    written_ = std::make_shared<Bell>(executor);
    written_->has_rung = false;
    socket_->begin(
        [executor, bell = bell_] { boost::asio::post(executor, [bell] { bell->ring(); }); });
    boost::asio::co_spawn(
        executor, [this] { return write(); },
        [written = written_](const std::exception_ptr&) { written->ring(); });
    co_await read();
    is_over_ = true;
    bell_->ring();
    while (!written_->has_rung) (void)co_await written_->timer.async_wait(kTuple);
  }

  boost::asio::awaitable<void> read() {
    boost::beast::flat_buffer buffer;  // read_message_max() bounds it
    while (true) {
      const auto [error, count] = co_await stream_.async_read(buffer, kTuple);
      if (error) co_return;
      if (!stream_.got_text()) {
        socket_->end({.code = 1003, .reason = "texts alone are understood"});
      } else {
        const std::string text(static_cast<const char*>(buffer.data().data()), buffer.size());
        co_await run_on(handlers_, [&] { socket_->parts().on_text(text); });
      }
      buffer.consume(buffer.size());
    }
  }

  boost::asio::awaitable<void> write() {
    stream_.text(true);
    while (!is_over_) {
      if (const auto how = socket_->ending()) {
        (void)co_await stream_.async_close(
            websocket::close_reason(static_cast<websocket::close_code>(how->code), how->reason),
            kTuple);
        break;
      }
      bell_->has_rung = false;
      if (const auto text = socket_->parts().next()) {
        const auto [error, count] =
            co_await stream_.async_write(boost::asio::buffer(*text), kTuple);
        if (error) break;
        boost::asio::steady_timer pace(stream_.get_executor(), WebSocket::kPace);
        (void)co_await pace.async_wait(kTuple);
        continue;
      }
      while (!bell_->has_rung) (void)co_await bell_->timer.async_wait(kTuple);
    }
    // Whoever still reads is told by the connection's end.
    boost::beast::get_lowest_layer(stream_).close();
  }

  const std::shared_ptr<WebSocket> socket_;
  boost::asio::thread_pool& handlers_;
  boost::beast::websocket::stream<Stream&> stream_;
  std::shared_ptr<Bell> bell_;
  std::shared_ptr<Bell> written_;  // rung once nothing is written any more
  bool is_over_ = false;
};

class Carrier final : public WebSocketCarrier {
 public:
  boost::asio::awaitable<void> carry(PlainStream& stream, const Request& request,
                                     std::shared_ptr<WebSocket> socket,
                                     boost::asio::thread_pool& handlers) const override {
    WebSocketSession<PlainStream> session(stream, std::move(socket), handlers);
    co_await session.run(request);
  }
  boost::asio::awaitable<void> carry(TlsStream& stream, const Request& request,
                                     std::shared_ptr<WebSocket> socket,
                                     boost::asio::thread_pool& handlers) const override {
    WebSocketSession<TlsStream> session(stream, std::move(socket), handlers);
    co_await session.run(request);
  }
};

}  // namespace

const WebSocketCarrier& web_socket_carrier() {
  static const Carrier carrier;
  return carrier;
}

}  // namespace andon::wire
