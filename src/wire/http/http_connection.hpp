// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server: a coroutine on the server's I/O thread that reads a request,
// has it answered on the handler pool, writes the response, and goes on until either side ends it.
// Internal to wire: included by http_server.cpp alone. All of it is for the I/O thread only.
#pragma once

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "wire/http/http_server.hpp"

namespace andon::wire {

class TlsCertificates;

enum class ConnectionPhase {
  waiting,  // for a handshake or a whole request header: nothing is lost by closing it
  reading,  // a request's body, which was admitted
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
  // When it entered its phase.
  [[nodiscard]] std::chrono::steady_clock::time_point since() const { return since_; }
  // Of the body that it reads, on average.
  [[nodiscard]] double bytes_per_second() const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - since_;
    return static_cast<double>(received_) / std::max(passed.count(), 1e-3);
  }
  // The peer's address without its port.
  [[nodiscard]] virtual const std::string& address() const = 0;

 protected:
  void enter(ConnectionPhase phase) {
    since_ = std::chrono::steady_clock::now();
    received_ = 0;
    phase_ = phase;
  }
  void count_received(std::uint64_t bytes) { received_ += bytes; }
  [[nodiscard]] bool is_last_response() const { return last_response_; }

 private:
  ConnectionPhase phase_ = ConnectionPhase::waiting;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::uint64_t received_ = 0;
  bool last_response_ = false;
};

// What the connections of one server share; outlives them.
struct HttpConnectionSettings {
  const HttpServerOptions& options;
  const HttpHandler& handler;
  boost::asio::thread_pool& handlers;
  boost::asio::thread_pool& disk;    // keeps slow disks from holding up the I/O thread
  TlsCertificates* tls;              // null: plain TCP
  std::uint64_t spooling_bytes = 0;  // of all connections; for the I/O thread
};

[[nodiscard]] std::unique_ptr<HttpConnection> make_http_connection(
    HttpConnectionSettings& settings, boost::asio::ip::tcp::socket socket);

}  // namespace andon::wire
