// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: a coroutine on the server's I/O thread that reads a request,
// has it answered on the handler pool, writes the response, and goes on until either side ends it.
// Internal to wire: included by http_server.cpp alone. All of it is for the I/O thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <memory>

#include "wire/http_server.hpp"

namespace andon::wire {

enum class ConnectionPhase {
  waiting,  // for a handshake or a whole request header: nothing is lost by closing it
  serving,  // a request is in hand
};

class HttpConnection {
 public:
  HttpConnection() = default;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  virtual ~HttpConnection() = default;

  virtual boost::asio::awaitable<void> run() = 0;
  // Ends whatever it is doing with the network; run() returns soon after.
  virtual void close() = 0;
  // Makes the response now in hand the last one; closes at once where none is in hand.
  void finish() {
    last_response_ = true;
    if (phase_ == ConnectionPhase::waiting) close();
  }

  [[nodiscard]] ConnectionPhase phase() const { return phase_; }
  [[nodiscard]] std::chrono::steady_clock::time_point waiting_since() const {
    return waiting_since_;
  }

 protected:
  void enter(ConnectionPhase phase) {
    if (phase == ConnectionPhase::waiting) waiting_since_ = std::chrono::steady_clock::now();
    phase_ = phase;
  }
  [[nodiscard]] bool is_last_response() const { return last_response_; }

 private:
  ConnectionPhase phase_ = ConnectionPhase::waiting;
  std::chrono::steady_clock::time_point waiting_since_ = std::chrono::steady_clock::now();
  bool last_response_ = false;
};

// What the connections of one server share; outlives them.
struct HttpConnectionSettings {
  const HttpServerOptions& options;
  const HttpHandler& handler;
  boost::asio::thread_pool& handlers;
  boost::asio::thread_pool& disk;  // keeps slow disks from holding up the I/O thread
  boost::asio::ssl::context* tls;  // null: plain TCP
};

[[nodiscard]] std::unique_ptr<HttpConnection> make_http_connection(
    const HttpConnectionSettings& settings, boost::asio::ip::tcp::socket socket);

}  // namespace andon::wire
