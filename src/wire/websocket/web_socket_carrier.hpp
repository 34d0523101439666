// SPDX-License-Identifier: Apache-2.0
// What makes a WebSocket of a connection of the HTTP server. It is given to those servers that
// have some (HttpServerOptions::web_sockets), so that programs without any do not hold its code.
// Internal to wire: includes Beast.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>

#include "wire/websocket/web_socket.hpp"

namespace andon::wire {

class WebSocketCarrier {
 public:
  using Request = boost::beast::http::request<boost::beast::http::buffer_body>;
  using PlainStream = boost::beast::tcp_stream;
  using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

  WebSocketCarrier() = default;
  WebSocketCarrier(const WebSocketCarrier&) = delete;
  WebSocketCarrier& operator=(const WebSocketCarrier&) = delete;
  virtual ~WebSocketCarrier() = default;

  // On the I/O thread, from the request that asks for it until its end. A request that asks for
  // none is answered with 400.
  virtual boost::asio::awaitable<void> carry(PlainStream& stream, const Request& request,
                                             std::shared_ptr<WebSocket> socket,
                                             boost::asio::thread_pool& handlers) const = 0;
  virtual boost::asio::awaitable<void> carry(TlsStream& stream, const Request& request,
                                             std::shared_ptr<WebSocket> socket,
                                             boost::asio::thread_pool& handlers) const = 0;
};

}  // namespace andon::wire
