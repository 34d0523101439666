// SPDX-License-Identifier: Apache-2.0
#include "wire/http/curl_transfer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <exception>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "trust/keys/private_key.hpp"
#include "wire/curl/curl_handle.hpp"
#include "wire/tls/client_certificate.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::steady_clock;

// How long a cancellation or a stall may go unnoticed.
constexpr int kTickMs = 100;
constexpr std::size_t kMaxHeaderBytes = 256U << 10U;

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(ErrorCode::internal, "libcurl cannot be initialised");
}

std::string direct_hosts() {
  std::string hosts = "localhost,127.0.0.1,::1";
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    if (const char* value = std::getenv(name)) return hosts + "," + value;
  }
  return hosts;
}

ErrorCode code_of(CURLcode result) {
  switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::deadline_exceeded;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorCode::invalid_argument;
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::resource_exhausted;
    default:
      return ErrorCode::unavailable;
  }
}

TransferError::Stage stage_of(CURLcode result) {
  switch (result) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return TransferError::Stage::tls_handshake;
    default:
      return TransferError::Stage::other;
  }
}

std::string advice(CURLcode result, const HttpClientOptions& options) {
  switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "; check the host name and the DNS server";
    case CURLE_COULDNT_CONNECT:
      return "; is the server running, and does a firewall allow it?";
    case CURLE_PEER_FAILED_VERIFICATION:
      return options.ca_file.empty()
                 ? "; the server's certificate is not trusted by this system"
                 : "; the server's certificate does not fit the CA in " + options.ca_file;
    case CURLE_SSL_CERTPROBLEM:
      return "; check " + options.certificate_file + " and " + options.private_key;
    case CURLE_SSL_CACERT_BADFILE:
      return "; check " + options.ca_file;
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "; only http:// and https:// are used";
    default:
      return "";
  }
}

}  // namespace

std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t authority = url.find("://");
  if (authority == std::string_view::npos) return std::string(url);
  const std::size_t start = authority + 3;
  const std::string_view rest = url.substr(start);
  const std::size_t at = rest.substr(0, rest.find('/')).rfind('@');
  const std::size_t skipped = at == std::string_view::npos ? 0 : at + 1;
  return std::string(url.substr(0, start)) + std::string(rest.substr(skipped));
}

struct CurlTransfer::Handles {
  struct FreeMulti {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
  };
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  CurlHandle easy{curl_easy_init()};
};

// The life of one exchange: options set, run to its end, taken out of the multi handle again.
class CurlTransfer::Exchange {
 public:
  Exchange(const HttpClientOptions& options, const Handles& handles, const CurlRequest& request,
           ResponseSink& sink)
      : options_(options),
        request_(request),
        sink_(sink),
        easy_(handles.easy.get()),
        multi_(handles.multi.get()) {
    curl_easy_reset(easy_);
    set_connection();
    set_request();
    set_callbacks();
    curl_multi_add_handle(multi_, easy_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { curl_multi_remove_handle(multi_, easy_); }

  void run() {
    moved_at_ = steady_clock::now();
    while (true) {
      int running = 0;
      const CURLMcode code = curl_multi_perform(multi_, &running);
      if (failure_) std::rethrow_exception(failure_);
      if (code != CURLM_OK) throw Error(ErrorCode::internal, curl_multi_strerror(code));
      if (request_.on_tick) request_.on_tick();
      report_sent();
      if (running == 0) break;
      if (request_.cancelled != nullptr && request_.cancelled->load()) {
        throw Error(ErrorCode::cancelled, "it was cancelled");
      }
      if (has_stalled()) {
        throw Error(ErrorCode::deadline_exceeded,
                    "nothing was transferred for " +
                        std::to_string(options_.stall_timeout.count()) +
                        " ms; the network or the server hangs");
      }
      curl_multi_poll(multi_, nullptr, 0, kTickMs, nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    if (message == nullptr) throw Error(ErrorCode::internal, "libcurl lost a transfer");
    if (message->data.result != CURLE_OK) throw error_of(message->data.result);
    give_head();
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    set_option(easy_, option, value);
  }
  void set(CURLoption option, const std::string& value) { set(option, value.c_str()); }

  void set_connection() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, options_.verify_server ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, options_.verify_server ? 2L : 0L);
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file);
    if (!options_.certificate_file.empty()) {
      set_certificate();
    }
    if (!options_.proxy.empty()) set(CURLOPT_PROXY, options_.proxy);
    set(CURLOPT_NOPROXY, direct_hosts());
    set(CURLOPT_ERRORBUFFER, error_text_.data());
  }

  // Of a file libcurl reads itself, and shows it to the server alone, not to an HTTPS proxy.
  void set_certificate() {
    if (!trust::is_key_uri(options_.private_key)) {
      set(CURLOPT_SSLCERT, options_.certificate_file);
      set(CURLOPT_SSLKEY, options_.private_key);
      return;
    }
    set(CURLOPT_SSL_CTX_FUNCTION, &Exchange::on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
  }

  void set_request() {
    set(CURLOPT_URL, request_.url);
    set(CURLOPT_PATH_AS_IS, 1L);  // a signature covers it
    if (request_.timeout.count() > 0) {
      set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
    }
    cap_speed();
    set_body();
    bool has_type = false;
    for (const auto& [name, value] : request_.headers.fields()) {
      has_type = has_type || base::equal_ignoring_case(name, "Content-Type");
      add_field(value.empty() ? name + ";" : name + ": " + value);
    }
    if (!has_type) add_field("Content-Type:");  // libcurl would claim a form
    set(CURLOPT_HTTPHEADER, fields_.get());
  }

  void cap_speed() {
    if (request_.bytes_per_second == 0) return;
    set(CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(request_.bytes_per_second));
    // libcurl looks at the cap only after up to 100 buffers that TLS holds ready: with its usual
    // buffer a small file comes whole at once.
    const auto buffer = std::clamp<std::uint64_t>(request_.bytes_per_second / 100, 1024, 16 * 1024);
    set(CURLOPT_BUFFERSIZE, static_cast<long>(buffer));
  }

  void add_field(const std::string& line) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      throw Error(ErrorCode::invalid_argument, "a header field of the request holds a line end");
    }
    curl_slist* longer = curl_slist_append(fields_.get(), line.c_str());
    if (longer == nullptr) throw Error(ErrorCode::resource_exhausted, "out of memory");
    (void)fields_.release();
    fields_.reset(longer);
  }

  void set_body() {
    if (!request_.body_file.empty()) {
      file_ = base::open_file(request_.body_file, O_RDONLY);
      struct stat about {};
      if (fstat(file_.get(), &about) != 0) {
        throw base::system_error("cannot read '" + request_.body_file.string() + "'", errno);
      }
      to_send_ = static_cast<std::uint64_t>(about.st_size);
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(about.st_size));
      set(CURLOPT_READFUNCTION, &Exchange::on_read);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
      set(CURLOPT_SEEKDATA, this);
    } else if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
      to_send_ = request_.body.size();
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.data());
    } else if (request_.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method);
  }

  void set_callbacks() {
    set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_write);
    set(CURLOPT_WRITEDATA, this);
  }

  TransferError error_of(CURLcode result) const {
    const char* text = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(result);
    return {code_of(result), stage_of(result), text + advice(result, options_)};
  }

  // Exceptions must not cross libcurl: they are kept and thrown again in run().
  template <typename Work>
  std::size_t guarded(std::size_t size, Work work) noexcept {
    try {
      work();
      return size;
    } catch (...) {
      failure_ = std::current_exception();
      return size == 0 ? 1 : 0;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    return exchange->guarded(size, [&] { exchange->take_header({data, size}); });
  }

  static std::size_t on_write(char* data, std::size_t, std::size_t size, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    return exchange->guarded(size, [&] {
      exchange->give_head();
      exchange->sink_.on_bytes({data, size});
    });
  }

  static CURLcode on_tls(CURL*, void* context, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    const HttpClientOptions& options = exchange->options_;
    const std::size_t done = exchange->guarded(1, [&] {
      use_client_certificate(static_cast<ssl_ctx_st*>(context), options.certificate_file,
                             options.private_key);
    });
    return done == 1 ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
  }

  static std::size_t on_read(char* buffer, std::size_t, std::size_t size, void* self) {
    auto* exchange = static_cast<Exchange*>(self);
    const ssize_t got = read(exchange->file_.get(), buffer, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    const int error = errno;
    (void)exchange->guarded(0, [&] {
      throw base::system_error("cannot read '" + exchange->request_.body_file.string() + "'",
                               error);
    });
    return CURL_READFUNC_ABORT;
  }

  static int on_seek(void* self, curl_off_t offset, int origin) {
    const auto* exchange = static_cast<const Exchange*>(self);
    return lseek(exchange->file_.get(), offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
  }

  void take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes) {
      throw Error(ErrorCode::resource_exhausted, "the response's header is too large");
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // of a 100 Continue or a proxy first, then the real one
      headers_ = Headers();
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    headers_.add(std::string(line.substr(0, colon)), std::string(value));
  }

  void give_head() {
    if (head_given_) return;
    head_given_ = true;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    sink_.on_head(static_cast<int>(status), headers_);
  }

  [[nodiscard]] std::uint64_t sent_bytes() const {
    curl_off_t sent = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
    return static_cast<std::uint64_t>(sent);
  }

  void report_sent() {
    if (!request_.on_sent || to_send_ == 0) return;
    const std::uint64_t sent = sent_bytes();
    if (sent == reported_) return;
    reported_ = sent;
    request_.on_sent(sent, to_send_);
  }

  [[nodiscard]] bool has_stalled() {
    curl_off_t received = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &received);
    const std::uint64_t moved = static_cast<std::uint64_t>(received) + sent_bytes() + header_bytes_;
    if (moved != moved_) {
      moved_ = moved;
      moved_at_ = steady_clock::now();
    }
    return steady_clock::now() - moved_at_ > options_.stall_timeout;
  }

  const HttpClientOptions& options_;
  const CurlRequest& request_;
  ResponseSink& sink_;
  CURL* easy_;
  CURLM* multi_;
  CurlList fields_;
  base::UniqueFd file_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  Headers headers_;
  std::size_t header_bytes_ = 0;
  bool head_given_ = false;
  std::uint64_t to_send_ = 0;
  std::uint64_t reported_ = 0;
  std::uint64_t moved_ = 0;
  steady_clock::time_point moved_at_;
  std::exception_ptr failure_;
};

CurlTransfer::CurlTransfer(HttpClientOptions options) : options_(std::move(options)) {
  initialise_curl();
  handles_ = std::make_unique<Handles>();
  if (!handles_->multi || !handles_->easy) {
    throw Error(ErrorCode::resource_exhausted, "libcurl cannot be initialised: out of memory");
  }
}

CurlTransfer::~CurlTransfer() = default;

void CurlTransfer::run(const CurlRequest& request, ResponseSink& sink) {
  try {
    Exchange(options_, *handles_, request, sink).run();
  } catch (Error& error) {
    throw error.with_context("cannot " + request.method + " " + without_secrets(request.url));
  }
}

}  // namespace andon::wire
