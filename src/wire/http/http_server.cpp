// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_server.hpp"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <map>
#include <string_view>
#include <thread>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "wire/http/http_connection.hpp"
#include "wire/http/http_tls.hpp"

namespace andon::wire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// How long the destructor lets responses go on being written to slow clients.
constexpr std::chrono::seconds kFinishGrace{5};
constexpr std::chrono::milliseconds kAcceptRetry{100};
// Where all connections are in use, a body slower than this loses its place.
constexpr double kSlowBytesPerSecond = 64.0 * 1024;
constexpr std::chrono::seconds kTimeToShowItsRate{2};
constexpr std::size_t kMany = 100;

tcp::endpoint endpoint_of(const HttpServerOptions& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "cannot listen on '" + options.address +
                          "': give an IP address, such as 127.0.0.1 or 0.0.0.0");
  }
  return {address, options.port};
}

tcp::acceptor listen(asio::io_context& io, const HttpServerOptions& options) {
  const tcp::endpoint endpoint = endpoint_of(options);
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw base::Error(base::ErrorCode::unavailable, "cannot listen on " + options.address +
                                                        " port " + std::to_string(options.port) +
                                                        ": " + error.message());
  }
  return acceptor;
}

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(HttpServerOptions options, HttpHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        tls_(options_.tls ? std::make_unique<TlsCertificates>(*options_.tls) : nullptr),
        acceptor_(listen(io_, options_)),
        port_(acceptor_.local_endpoint().port()),
        handlers_(std::max<std::size_t>(options_.handler_threads, 1)) {
    asio::co_spawn(io_, accept(), [](std::exception_ptr) {});
    thread_ = std::thread([this] { io_.run(); });
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  ~Implementation() {
    asio::post(io_, [this] { stop(); });
    thread_.join();
    handlers_.join();
    disk_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  void offer(const TlsIdentity& identity) {
    if (!tls_) {
      throw base::Error(base::ErrorCode::failed_precondition,
                        "this port has no TLS, so there is nobody to show a certificate to");
    }
    tls_->offer(identity);
  }

 private:
  using Connections = std::list<std::unique_ptr<HttpConnection>>;

  asio::awaitable<void> accept() {
    while (!stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (stopping_) co_return;
      if (error) {
        // Out of descriptors, most likely: those in use come back.
        base::log_warning("connection not accepted", {{"reason", error.message()}});
        timer_.expires_after(kAcceptRetry);
        (void)co_await timer_.async_wait(kTuple);
        continue;
      }
      if (connections_.size() >= options_.max_connections && !make_room()) {
        base::log_warning("connection refused: all are busy",
                          {{"max_connections", options_.max_connections}});
        continue;
      }
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto connection = connections_.insert(
          connections_.end(), make_http_connection(settings_, std::move(socket)));
      asio::co_spawn(io_, (*connection)->run(), [this, connection](std::exception_ptr failure) {
        forget(connection, failure);
      });
    }
  }

  // Of the address that has most connections the one that has waited longest for a request; where
  // nobody waits, the one whose body comes slowest.
  bool make_room() {
    std::map<std::string_view, std::size_t> shares;
    for (const auto& connection : connections_) ++shares[connection->address()];
    HttpConnection* waiting = nullptr;
    HttpConnection* slow = nullptr;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& each : connections_) {
      HttpConnection& connection = *each;
      const std::size_t share = shares[connection.address()];
      if (connection.phase() == ConnectionPhase::waiting) {
        if (waiting == nullptr || share > shares[waiting->address()] ||
            (share == shares[waiting->address()] && connection.since() < waiting->since())) {
          waiting = &connection;
        }
      } else if (connection.phase() == ConnectionPhase::reading &&
                 now - connection.since() > kTimeToShowItsRate &&
                 connection.bytes_per_second() < kSlowBytesPerSecond) {
        if (slow == nullptr || share > shares[slow->address()] ||
            (share == shares[slow->address()] &&
             connection.bytes_per_second() < slow->bytes_per_second())) {
          slow = &connection;
        }
      }
    }
    HttpConnection* const victim = waiting != nullptr ? waiting : slow;
    if (victim == nullptr) return false;
    victim->close();
    return true;
  }

  // Gives memory back after a flood: the allocator keeps what many connections had.
  void give_memory_back() {
    most_connections_ = std::max(most_connections_, connections_.size());
    if (most_connections_ < kMany || connections_.size() > most_connections_ / 10) return;
    most_connections_ = 0;
    asio::post(disk_, [] { malloc_trim(0); });
  }

  void forget(Connections::iterator connection, const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      base::log_error("connection failed", {{"error", std::string(error.what())}});
    }
    give_memory_back();
    connections_.erase(connection);
    if (stopping_ && connections_.empty()) timer_.cancel();
  }

  void stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    for (const auto& connection : connections_) connection->finish();
    if (connections_.empty()) return;
    timer_.expires_after(kFinishGrace);
    timer_.async_wait([this](error_code error) {
      if (error) return;
      for (const auto& connection : connections_) connection->close();
    });
  }

  HttpServerOptions options_;
  HttpHandler handler_;
  asio::io_context io_{1};
  std::unique_ptr<TlsCertificates> tls_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  asio::steady_timer timer_{io_};  // the acceptor's pause; once stopping, the end of the grace
  asio::thread_pool handlers_;
  asio::thread_pool disk_{1};
  HttpConnectionSettings settings_{options_, handler_, handlers_, disk_, tls_.get()};
  Connections connections_;
  std::size_t most_connections_ = 0;  // since memory was given back
  bool stopping_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(HttpServerOptions options, HttpHandler handler)
    : implementation_(std::make_unique<Implementation>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return implementation_->port();
}

void HttpServer::offer(const TlsIdentity& identity) {
  implementation_->offer(identity);
}

}  // namespace andon::wire
