// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_connection.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/ascii.hpp"
#include "wire/http/body_spool.hpp"
#include "wire/http/http_later.hpp"
#include "wire/http/http_response_head.hpp"
#include "wire/http/http_tls.hpp"
#include "wire/websocket/run_on.hpp"
#include "wire/websocket/web_socket_carrier.hpp"

namespace andon::wire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using boost::system::error_code;

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
// Refuses a folded field ("A: b\r\n c"), which Beast would unfold and others read as two lines.
class Parser : public http::request_parser<http::buffer_body> {
  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    // A value that was not folded stands behind its name in what was received; Beast puts one that
    // was together elsewhere.
    const auto gap = reinterpret_cast<std::uintptr_t>(value.data()) -
                     reinterpret_cast<std::uintptr_t>(name.data() + name.size());
    const std::string_view between(name.data() + name.size(), std::min(gap, kMaxGap));
    if (!value.empty() && (gap > kMaxGap || between.find_first_not_of(": \t") != between.npos)) {
      error = http::error::bad_value;
      return;
    }
    get().insert(field, name, value);
  }
  static constexpr std::uintptr_t kMaxGap = 128;
};

constexpr auto kTuple = asio::as_tuple(use_awaitable);
constexpr std::size_t kReadChunk = 64U << 10U;
constexpr std::size_t kFileChunk = 256U << 10U;
// A body that comes slower than this on average is taken for an attack, not for a slow line.
constexpr std::uint64_t kMinimumBytesPerSecond = 4096;
constexpr std::chrono::seconds kLinger{2};

HttpResponse plain_text(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text) + "\n";
  return response;
}

// What to tell a client whose bytes are not a request; nothing where the connection is just gone.
std::optional<HttpResponse> refusal(const error_code& error, const HttpServerOptions& options) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return plain_text(431, "the request's header is larger than the limit of " +
                               std::to_string(options.max_header_bytes) + " bytes");
  }
  if (error == http::error::body_limit) {
    return plain_text(413, "the request's body is larger than the limit of " +
                               std::to_string(options.max_body_bytes) + " bytes");
  }
  const bool is_parse_error = error.category() == error_code(http::error::bad_method).category() &&
                              error != http::error::end_of_stream &&
                              error != http::error::partial_message;
  if (!is_parse_error) return std::nullopt;
  return plain_text(400, "this is not an HTTP/1.1 request: " + error.message());
}

HttpResponse answer(const HttpHandler& handler, HttpRequest& request) {
  try {
    return handler(request);
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::internal) {
      base::log_error(
          "request failed",
          {{"method", request.method}, {"path", request.path}, {"error", error.message()}});
    }
    return plain_text(base::http_status(error.code()), error.message());
  } catch (const std::exception& error) {
    base::log_error(
        "request failed",
        {{"method", request.method}, {"path", request.path}, {"error", std::string(error.what())}});
  } catch (...) {
    base::log_error("request failed", {{"method", request.method}, {"path", request.path}});
  }
  return plain_text(500, "the server failed to answer this request; its log says why");
}

std::string read_file_part(const FileBody& body, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = pread(body.file.get(), bytes.data() + filled, size - filled,
                              static_cast<off_t>(body.offset + offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::system_error("cannot read the file to send", errno);
    if (got == 0) {
      throw base::Error(base::ErrorCode::internal, "the file to send became shorter meanwhile");
    }
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::optional<std::string> verified_client_certificate(SSL* ssl) {
  struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  const std::unique_ptr<X509, FreeCertificate> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  const std::unique_ptr<BIO, FreeBio> pem(BIO_new(BIO_s_mem()));
  if (!pem || PEM_write_bio_X509(pem.get(), certificate.get()) != 1) return std::nullopt;
  char* text = nullptr;
  const long size = BIO_get_mem_data(pem.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

asio::ip::tcp::endpoint endpoint_of(const asio::ip::tcp::socket& socket) {
  error_code error;
  return socket.remote_endpoint(error);
}

bool is_of_this_machine(const asio::ip::tcp::socket& socket) {
  error_code error;
  const asio::ip::address address = socket.local_endpoint(error).address();
  return !error && address == endpoint_of(socket).address();
}

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return "unknown";
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

// Has the other side closed its end? Bytes that it sent before may still be unread.
bool peer_has_closed(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// What a connection waits with for a response that comes later; on the I/O thread only.
struct WaitForResponse {
  explicit WaitForResponse(const asio::any_io_executor& executor)
      : wake(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer wake;
  std::optional<HttpResponse> response;
  bool is_over = false;  // the connection may be gone
};

// What a body of this connection has on its way to the disk, of what all may have.
class SpoolShare {
 public:
  explicit SpoolShare(HttpConnectionSettings& settings) : settings_(settings) {}
  SpoolShare(const SpoolShare&) = delete;
  SpoolShare& operator=(const SpoolShare&) = delete;
  ~SpoolShare() { settings_.spooling_bytes -= bytes_; }

  [[nodiscard]] bool take(std::uint64_t bytes) {
    if (settings_.spooling_bytes + bytes > settings_.options.max_spooling_bytes) return false;
    settings_.spooling_bytes += bytes;
    bytes_ += bytes;
    return true;
  }

 private:
  HttpConnectionSettings& settings_;
  std::uint64_t bytes_ = 0;
};

// The answer to a request on which a handler threw.
HttpResponse failed(const HttpRequest& request) {
  try {
    throw;
  } catch (const base::Error& error) {
    return plain_text(base::http_status(error.code()), error.message());
  } catch (const std::exception& error) {
    base::log_error("request failed",
                    {{"path", request.path}, {"error", std::string(error.what())}});
    return plain_text(500, "the server failed to answer this request; its log says why");
  }
}

HttpAdmission admission(const HttpServerOptions& options, const HttpRequest& head) {
  if (!options.admit) return {std::nullopt, options.max_body_bytes};
  try {
    return options.admit(head);
  } catch (...) {
    return {failed(head), 0};
  }
}

std::optional<HttpResponse> looked(const HttpServerOptions& options, const HttpRequest& start) {
  try {
    return options.look(start);
  } catch (...) {
    return failed(start);
  }
}

HttpUpgrade upgrade(const HttpServerOptions& options, const HttpRequest& request) {
  try {
    return options.upgrade(request);
  } catch (...) {
    return {nullptr, failed(request)};
  }
}

template <typename Stream>
class Connection final : public HttpConnection {
 public:
  template <typename... StreamArguments>
  Connection(HttpConnectionSettings& settings, asio::ip::tcp::socket socket,
             StreamArguments&&... arguments)
      : settings_(settings),
        endpoint_(endpoint_of(socket)),
        peer_(to_text(endpoint_)),
        address_(endpoint_.address().to_string()),
        stream_(std::move(socket), std::forward<StreamArguments>(arguments)...),
        buffer_(settings.options.max_header_bytes + kReadChunk) {}

  void close() override {
    transport().close();
    if (waiting_) waiting_->wake.cancel();
  }
  [[nodiscard]] const std::string& address() const override { return address_; }

  asio::awaitable<void> run() override {
    if constexpr (kIsTls) {
      const bool ready = co_await handshake();
      if (!ready) co_return;
    }
    while (!is_last_response()) {
      enter(ConnectionPhase::waiting);
      const bool has_bytes = co_await wait_for_request();
      if (!has_bytes) break;
      const bool goes_on = co_await serve_request();
      if (!goes_on) break;
    }
    co_await end();
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  beast::tcp_stream& transport() { return beast::get_lowest_layer(stream_); }
  void expect_progress() { transport().expires_after(settings_.options.io_timeout); }

  asio::awaitable<bool> handshake() {
    expect_progress();
    const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kTuple);
    if (error) {
      base::log_debug("TLS handshake failed", {{"peer", peer_}, {"reason", error.message()}});
      co_return false;
    }
    client_certificate_ = verified_client_certificate(stream_.native_handle());
    co_return true;
  }

  // Between requests a connection holds next to no memory.
  asio::awaitable<bool> wait_for_request() {
    if (buffer_.size() > 0) co_return true;
    buffer_.shrink_to_fit();
    transport().expires_after(settings_.options.idle_timeout);
    const auto [error, count] = co_await stream_.async_read_some(buffer_.prepare(2048), kTuple);
    if (error) co_return false;
    buffer_.commit(count);
    co_return true;
  }

  // False where the connection must end now.
  asio::awaitable<bool> serve_request() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(settings_.options.max_header_bytes));
    parser.body_limit(settings_.options.max_body_bytes);
    expect_progress();  // and no more time than that for the whole header
    const auto [error, count] = co_await http::async_read_header(stream_, buffer_, parser, kTuple);
    if (error) co_return co_await refuse(error);
    enter(ConnectionPhase::serving);

    HttpRequest request = request_of(parser.get());
    const std::optional<HttpResponse> problem = read_target(request, parser.get().version());
    if (problem) co_return co_await send_last(*problem);

    if (!parser.is_done()) {
      const auto expectation = request.headers.find("Expect");
      const auto length = parser.content_length();
      std::uint64_t most = settings_.options.unasked_body_bytes;
      if (expectation || !length || *length > most) {
        const HttpAdmission admitted = co_await run_on(
            settings_.handlers, [&] { return admission(settings_.options, request); });
        if (admitted.refusal) co_return co_await send_last(*admitted.refusal);
        most = std::min(admitted.max_body_bytes, settings_.options.max_body_bytes);
      }
      if (parser.content_length().value_or(0) > most) co_return co_await send_last(too_large(most));
      if (expectation && !base::equal_ignoring_case(*expectation, "100-continue")) {
        co_return co_await send_last(plain_text(417, "only Expect: 100-continue is understood"));
      }
      if (expectation && buffer_.size() == 0) {
        const bool sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return false;
      }
      enter(ConnectionPhase::reading);
      const bool complete = co_await read_body(parser, request, most);
      if (!complete) co_return false;
      enter(ConnectionPhase::serving);
    }

    if (asks_for_web_socket(request)) {
      HttpUpgrade upgraded =
          co_await run_on(settings_.handlers, [&] { return upgrade(settings_.options, request); });
      if (upgraded.socket) {
        co_return co_await become_web_socket(parser.get(), std::move(upgraded.socket));
      }
      if (upgraded.refusal) co_return co_await send_last(*upgraded.refusal);
    }
    const bool is_head = request.method == "HEAD";
    HttpResponse response =
        co_await run_on(settings_.handlers, [&] { return answer(settings_.handler, request); });
    request = HttpRequest();
    if (response.later) {
      std::optional<HttpResponse> made = co_await wait_for(std::move(response.later));
      if (!made) co_return false;
      response = *std::move(made);
    }
    const auto connection = response.headers.find("Connection");
    const bool keep_alive = parser.keep_alive() && !is_last_response() &&
                            !(connection && base::equal_ignoring_case(*connection, "close"));
    const bool sent = co_await send_response(response, is_head, keep_alive);
    co_return sent&& keep_alive;
  }

  [[nodiscard]] bool asks_for_web_socket(const HttpRequest& request) const {
    return settings_.options.upgrade && request.method == "GET" &&
           base::equal_ignoring_case(request.headers.find("Upgrade").value_or(""), "websocket");
  }

  // Always false: the connection ends with it.
  asio::awaitable<bool> become_web_socket(const WebSocketCarrier::Request& request,
                                          std::shared_ptr<WebSocket> socket) {
    if (buffer_.size() > 0) {
      socket->has_gone();
      co_return co_await send_last(plain_text(400, "a WebSocket's frames follow the answer"));
    }
    co_await settings_.options.web_sockets->carry(stream_, request, std::move(socket),
                                                  settings_.handlers);
    co_return false;
  }

  // Nothing where the connection ends first. No deadline of its own: who answers has one.
  asio::awaitable<std::optional<HttpResponse>> wait_for(std::shared_ptr<LaterResponse> later) {
    const asio::any_io_executor executor = transport().get_executor();
    waiting_ = std::make_shared<WaitForResponse>(executor);
    later->when_answered([executor, waiting = waiting_](HttpResponse response) {
      asio::post(executor, [waiting, made = std::move(response)]() mutable {
        waiting->response = std::move(made);
        waiting->wake.cancel();
      });
    });
    transport().expires_never();
    auto& socket = transport().socket();
    socket.async_wait(asio::ip::tcp::socket::wait_read,
                      [this, waiting = waiting_](error_code error) {
                        // A request that came too early is looked at in its turn.
                        if (error || waiting->is_over) return;
                        if (peer_has_closed(transport().socket().native_handle())) {
                          waiting->wake.cancel();
                        }
                      });
    while (!waiting_->response && socket.is_open() && !peer_has_closed(socket.native_handle())) {
      (void)co_await waiting_->wake.async_wait(kTuple);
    }
    error_code ignored;
    if (socket.is_open()) socket.cancel(ignored);
    std::optional<HttpResponse> response = std::move(waiting_->response);
    waiting_->is_over = true;
    waiting_.reset();
    if (!response) later->client_has_gone();
    co_return response;
  }

  HttpRequest request_of(const http::request_header<>& header) const {
    HttpRequest request;
    request.method = std::string(header.method_string());
    request.target = std::string(header.target());
    for (const auto& field : header) {
      request.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    request.peer_address = peer_;
    request.is_tls = kIsTls;
    request.client_certificate_pem = client_certificate_;
    return request;
  }

  static HttpResponse too_large(std::uint64_t most) {
    return plain_text(
        413, "the request's body is larger than the limit of " + std::to_string(most) + " bytes");
  }

  static std::optional<HttpResponse> read_target(HttpRequest& request, unsigned version) {
    // What a proxy and this server might read differently is not read at all.
    const auto encoding = request.headers.find("Transfer-Encoding");
    const auto is_encoding = [](const auto& field) {
      return base::equal_ignoring_case(field.first, "Transfer-Encoding");
    };
    if (encoding && (!base::equal_ignoring_case(*encoding, "chunked") ||
                     std::ranges::count_if(request.headers.fields(), is_encoding) > 1)) {
      return plain_text(501, "the only Transfer-Encoding that is understood is chunked, once");
    }
    if (encoding && version < 11) {
      return plain_text(400, "an HTTP/1.0 request has no Transfer-Encoding");
    }
    if (encoding && request.headers.find("Content-Length")) {
      return plain_text(400, "a request has either Transfer-Encoding or Content-Length");
    }
    if (version >= 11 && !request.headers.find("Host")) {
      return plain_text(400, "an HTTP/1.1 request needs a Host header");
    }
    const auto target = split_target(request.target);
    if (!target) return plain_text(400, "the request's target must start with '/'");
    auto query = parse_query(target->query);
    if (!query) return plain_text(400, "the request's query has a malformed '%' escape");
    request.path = std::string(target->path);
    request.query = *std::move(query);
    return std::nullopt;
  }

  // False where it could not be read; the client has then been told, if it can be.
  asio::awaitable<bool> read_body(Parser& parser, HttpRequest& request, std::uint64_t most) {
    BodySpool spool(settings_.options.spool_directory, settings_.options.body_in_memory_bytes);
    SpoolShare share(settings_);
    const auto started = std::chrono::steady_clock::now();
    std::uint64_t received = 0;
    std::vector<char> chunk(kReadChunk);
    std::optional<HttpResponse> problem;
    bool has_looked = false;
    while (!parser.is_done() && !problem) {
      auto& part = parser.get().body();
      part.data = chunk.data();
      part.size = chunk.size();
      const auto latest = started + settings_.options.io_timeout +
                          std::chrono::seconds(received / kMinimumBytesPerSecond);
      transport().expires_at(
          std::min(latest, std::chrono::steady_clock::now() + settings_.options.io_timeout));
      const auto [error, count] = co_await http::async_read_some(stream_, buffer_, parser, kTuple);
      if (error && error != http::error::need_buffer) {
        const bool refused = co_await refuse(error);
        co_return refused;
      }
      const std::string_view bytes(chunk.data(), chunk.size() - part.size);
      received += bytes.size();
      count_received(bytes.size());
      if (received > most) co_return co_await send_last(too_large(most));
      try {
        if (spool.uses_disk_for(bytes.size())) {
          if (!share.take(bytes.size())) {
            co_return co_await send_last(plain_text(
                503, "the server has as many bodies in hand as it can store; try again later"));
          }
          co_await run_on(settings_.disk, [&] { spool.append(bytes); });
        } else {
          spool.append(bytes);
        }
      } catch (const base::Error& full) {
        base::log_error("request body not stored", {{"error", full.message()}});
        problem = plain_text(507, "the server cannot store the request's body just now");
      }
      const bool is_looked_at = settings_.options.look && !has_looked && !problem &&
                                !parser.is_done() &&
                                spool.memory().size() >= settings_.options.look_after_bytes;
      if (!is_looked_at) continue;
      has_looked = true;
      request.body = Body(spool.memory());
      problem =
          co_await run_on(settings_.handlers, [&] { return looked(settings_.options, request); });
      request.body = Body();
    }
    if (problem) co_return co_await send_last(*problem);
    request.body = spool.finish();
    co_return true;
  }

  asio::awaitable<bool> refuse(error_code error) {
    const std::optional<HttpResponse> response = refusal(error, settings_.options);
    if (!response) co_return false;
    base::log_debug("request refused", {{"peer", peer_}, {"reason", error.message()}});
    co_return co_await send_last(*response);
  }

  // Answers a request of which bytes may still be on their way. Always false.
  asio::awaitable<bool> send_last(const HttpResponse& response) {
    const bool sent = co_await send_response(response, false, false);
    lingers_ = sent;
    co_return false;
  }

  asio::awaitable<bool> send_response(const HttpResponse& response, bool is_head, bool keep_alive) {
    std::string head;
    try {
      head = response_head(response, is_head, keep_alive);
    } catch (const base::Error& error) {
      base::log_error("response not sent", {{"error", error.message()}});
      co_return false;
    }
    if (is_head || !may_have_body(response.status)) co_return co_await send(head);
    if (const auto* text = std::get_if<std::string>(&response.body)) {
      if (text->size() <= kReadChunk) co_return co_await send(head + *text);
      const bool sent = co_await send(head);
      co_return sent&& co_await send(*text);
    }
    const bool sent = co_await send(head);
    co_return sent&& co_await send_file(std::get<FileBody>(response.body));
  }

  asio::awaitable<bool> send_file(const FileBody& body) {
    for (std::uint64_t offset = 0; offset < body.size;) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(kFileChunk, body.size - offset));
      std::string bytes;
      try {
        bytes = co_await run_on(settings_.disk, [&] { return read_file_part(body, offset, size); });
      } catch (const base::Error& error) {
        base::log_error("response cut short", {{"peer", peer_}, {"error", error.message()}});
        co_return false;
      }
      const bool sent = co_await send(bytes);
      if (!sent) co_return false;
      offset += size;
    }
    co_return true;
  }

  asio::awaitable<bool> send(std::string_view bytes) {
    while (!bytes.empty()) {
      expect_progress();
      const std::string_view part = bytes.substr(0, kReadChunk);
      const auto [error, count] =
          co_await asio::async_write(stream_, asio::buffer(part.data(), part.size()), kTuple);
      if (error) co_return false;
      bytes.remove_prefix(part.size());
    }
    co_return true;
  }

  // Closing with unread bytes in the socket would reset it and take the last response away from
  // the client: those bytes are read for a moment and dropped.
  asio::awaitable<void> end() {
    transport().expires_after(kLinger);
    if constexpr (kIsTls) {
      if (lingers_) (void)co_await stream_.async_shutdown(kTuple);
    }
    error_code ignored;
    transport().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (lingers_) {
      std::vector<char> dropped(kReadChunk);
      while (true) {
        const auto [error, count] =
            co_await transport().async_read_some(asio::buffer(dropped), kTuple);
        if (error) break;
      }
    }
    transport().close();
  }

  HttpConnectionSettings& settings_;
  asio::ip::tcp::endpoint endpoint_;
  std::string peer_;
  std::string address_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<std::string> client_certificate_;
  bool lingers_ = false;
  std::shared_ptr<WaitForResponse> waiting_;  // while a response comes later
};

}  // namespace

std::unique_ptr<HttpConnection> make_http_connection(HttpConnectionSettings& settings,
                                                     asio::ip::tcp::socket socket) {
  if (settings.tls == nullptr) {
    return std::make_unique<Connection<PlainStream>>(settings, std::move(socket));
  }
  auto& context = settings.tls->context(is_of_this_machine(socket));
  return std::make_unique<Connection<TlsStream>>(settings, std::move(socket), context);
}

}  // namespace andon::wire
