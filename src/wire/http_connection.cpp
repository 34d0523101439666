// SPDX-License-Identifier: Apache-2.0
#include "wire/http_connection.hpp"

#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
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
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "wire/body_spool.hpp"
#include "wire/http_response_head.hpp"

namespace andon::wire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;
using boost::system::error_code;

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using Parser = http::request_parser<http::buffer_body>;

constexpr auto kTuple = asio::as_tuple(use_awaitable);
constexpr std::size_t kReadChunk = 64U << 10U;
constexpr std::size_t kFileChunk = 256U << 10U;
// A body that comes slower than this on average is taken for an attack, not for a slow line.
constexpr std::uint64_t kMinimumBytesPerSecond = 1024;
constexpr std::chrono::seconds kLinger{2};

// Runs blocking work on a pool and comes back to the I/O thread with its result.
template <typename Work>
asio::awaitable<std::invoke_result_t<Work>> run_on(asio::thread_pool& pool, Work work) {
  auto on_pool = [&work]() -> asio::awaitable<std::invoke_result_t<Work>> { co_return work(); };
  co_return co_await asio::co_spawn(pool.get_executor(), std::move(on_pool), use_awaitable);
}

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

std::string address_of(const asio::ip::tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "unknown";
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

template <typename Stream>
class Connection final : public HttpConnection {
 public:
  template <typename... StreamArguments>
  Connection(const HttpConnectionSettings& settings, asio::ip::tcp::socket socket,
             StreamArguments&&... arguments)
      : settings_(settings),
        peer_(address_of(socket)),
        stream_(std::move(socket), std::forward<StreamArguments>(arguments)...),
        buffer_(settings.options.max_header_bytes + kReadChunk) {}

  void close() override { transport().close(); }

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
      if (expectation && !equal_ignoring_case(*expectation, "100-continue")) {
        co_return co_await send_last(plain_text(417, "only Expect: 100-continue is understood"));
      }
      if (expectation && buffer_.size() == 0) {
        const bool sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
        if (!sent) co_return false;
      }
      const bool complete = co_await read_body(parser, request);
      if (!complete) co_return false;
    }

    const bool is_head = request.method == "HEAD";
    HttpResponse response =
        co_await run_on(settings_.handlers, [&] { return answer(settings_.handler, request); });
    request = HttpRequest();
    const auto connection = response.headers.find("Connection");
    const bool keep_alive = parser.keep_alive() && !is_last_response() &&
                            !(connection && equal_ignoring_case(*connection, "close"));
    const bool sent = co_await send_response(response, is_head, keep_alive);
    co_return sent&& keep_alive;
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

  static std::optional<HttpResponse> read_target(HttpRequest& request, unsigned version) {
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
  asio::awaitable<bool> read_body(Parser& parser, HttpRequest& request) {
    BodySpool spool(settings_.options.spool_directory, settings_.options.body_in_memory_bytes);
    const auto started = std::chrono::steady_clock::now();
    std::uint64_t received = 0;
    std::vector<char> chunk(kReadChunk);
    std::optional<HttpResponse> disk_problem;
    while (!parser.is_done() && !disk_problem) {
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
      try {
        if (spool.uses_disk_for(bytes.size())) {
          co_await run_on(settings_.disk, [&] { spool.append(bytes); });
        } else {
          spool.append(bytes);
        }
      } catch (const base::Error& full) {
        base::log_error("request body not stored", {{"error", full.message()}});
        disk_problem = plain_text(507, "the server cannot store the request's body just now");
      }
    }
    if (disk_problem) co_return co_await send_last(*disk_problem);
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

  const HttpConnectionSettings& settings_;
  std::string peer_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<std::string> client_certificate_;
  bool lingers_ = false;
};

}  // namespace

std::unique_ptr<HttpConnection> make_http_connection(const HttpConnectionSettings& settings,
                                                     asio::ip::tcp::socket socket) {
  if (settings.tls == nullptr) {
    return std::make_unique<Connection<PlainStream>>(settings, std::move(socket));
  }
  return std::make_unique<Connection<TlsStream>>(settings, std::move(socket), *settings.tls);
}

}  // namespace andon::wire
