// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server over plain TCP or TLS. Connections are served by coroutines on one I/O
// thread; the handler runs on a pool of blocking threads, so it may use files and the database.
// Limits and deadlines hold for every connection: a slow or silent client is dropped. Where
// `max_connections` are open, one makes room for a new one: of the address that has most of them
// the one that has waited longest, and where none waits the one whose body comes slowest. A body is
// read only when `admit` has seen the request's head: who may not send it costs no disk. Beast and
// Asio stay in http_connection and http_server.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wire/http/http.hpp"

namespace andon::wire {

class WebSocket;
class WebSocketCarrier;

struct TlsServerOptions {
  std::string certificate_chain_pem;
  std::string private_key_pem;
  std::string client_ca_pem;  // empty: no client certificate is asked for
  // A client may come without a certificate (HttpRequest::client_certificate_pem is then empty);
  // one that comes with a certificate that does not verify is refused in the handshake.
};

// A certificate and its key, for names of its own.
struct TlsIdentity {
  std::string certificate_chain_pem;  // its own first
  std::string private_key_pem;
};

// Called on the handlers' threads for a request that has a body; `head` has everything but that.
// Errors as those of HttpHandler.
using HttpAdmit = std::function<HttpAdmission(const HttpRequest& head)>;

// The same once look_after_bytes of a larger body are there: `start` has them as its body. What it
// answers is sent, and the rest of the body is not read.
using HttpLook = std::function<std::optional<HttpResponse>(const HttpRequest& start)>;

// What becomes of a request that asks for a WebSocket: it gets one, it is refused, or, where both
// are empty, it is answered as any other (which is to ignore what it asks for).
struct HttpUpgrade {
  std::shared_ptr<WebSocket> socket;
  std::optional<HttpResponse> refusal = {};
};
// Called on the handlers' threads. Errors as those of HttpHandler.
using HttpUpgrader = std::function<HttpUpgrade(const HttpRequest& request)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free port
  std::optional<TlsServerOptions> tls;
  std::uint64_t max_body_bytes = 5ULL << 30U;
  std::size_t max_header_bytes = 64U << 10U;
  std::size_t body_in_memory_bytes = 256U << 10U;  // larger bodies are spooled to `spool_directory`
  base::fs::path spool_directory = base::fs::temp_directory_path();
  std::chrono::milliseconds idle_timeout{60'000};  // between requests
  std::chrono::milliseconds io_timeout{30'000};    // without any progress within a request
  // Bodies on their way to `spool_directory`, of all connections together; a request that would
  // take more is answered with 503.
  std::uint64_t max_spooling_bytes = 16ULL << 30U;
  HttpAdmit admit;  // empty: every body up to max_body_bytes
  // Bodies of at most so much are read without asking `admit`, unless the client waits for that.
  std::uint64_t unasked_body_bytes = 0;
  HttpLook look;                       // empty: nobody looks
  std::uint64_t look_after_bytes = 0;  // less than body_in_memory_bytes
  HttpUpgrader upgrade;                // empty: there are no WebSockets
  // &web_socket_carrier() where there is an `upgrade`.
  const WebSocketCarrier* web_sockets = nullptr;
  std::size_t handler_threads = 4;
  std::size_t max_connections = 1000;
};

// Throws base::Error for what the caller cannot answer better: it becomes a plain-text response
// with the error's HTTP status. Any other exception becomes 500 and is logged.
using HttpHandler = std::function<HttpResponse(HttpRequest&)>;

class HttpServer {
 public:
  // Binds and listens (throws unavailable with address and port where that fails), then serves
  // from threads of its own until destroyed. The destructor finishes requests in hand.
  HttpServer(HttpServerOptions options, HttpHandler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;

  // Shown from the next connection on, in place of the one offered before, to clients that ask for
  // a name that it is for; where it is for IP addresses, too, also to clients that ask for none,
  // unless they are of this machine. All others go on to see the certificate of the options. Any
  // thread. Throws invalid_argument for what cannot be used (nothing changes then), and
  // failed_precondition where there is no TLS.
  void offer(const TlsIdentity& identity);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::wire
