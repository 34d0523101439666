// SPDX-License-Identifier: Apache-2.0
// An HTTP(S) client (libcurl): requests, uploads from files, downloads to files that resume.
// One object per thread at a time; it keeps connections alive between calls. Redirects are not
// followed. Messages of errors name the URL without its query, which may hold a signature.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error/error.hpp"
#include "wire/http/http.hpp"

namespace andon::wire {

// A request or download that did not get through to its answer.
class TransferError : public base::Error {
 public:
  enum class Stage : std::uint8_t { tls_handshake, other };
  TransferError(base::ErrorCode code, Stage stage, std::string message)
      : Error(code, std::move(message)), stage_(stage) {}
  [[nodiscard]] Stage stage() const { return stage_; }

 private:
  Stage stage_;
};

struct HttpClientOptions {
  std::string ca_file;           // PEM; empty: the system's store
  std::string certificate_file;  // PEM; empty: no client certificate
  std::string private_key;       // a PEM file, or the URI of a key (trust/keys/private_key.hpp)
  // Empty: from the environment, as curl reads it. This machine itself is always reached directly.
  std::string proxy;
  std::chrono::milliseconds connect_timeout{10'000};
  // A transfer with less than 1 byte/s for so long is given up with deadline_exceeded.
  std::chrono::milliseconds stall_timeout{30'000};
  bool verify_server = true;  // false only to fetch a CA that is then checked by its digest
};

struct OutgoingRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  base::fs::path body_file;                   // sent instead of `body` when not empty
  std::chrono::milliseconds timeout{60'000};  // of the whole exchange
  std::size_t max_response_bytes = 64U << 20U;
  std::function<void(std::uint64_t sent, std::uint64_t total)> on_progress;  // of the upload
  const std::atomic<bool>* cancelled = nullptr;  // looked at all the time; throws cancelled
};

struct IncomingResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

struct DownloadProgress {
  std::uint64_t received = 0;  // bytes in the file so far, resumed ones included
  std::uint64_t total = 0;     // 0 while not known
};

struct DownloadRequest {
  std::string url;
  Headers headers;
  base::fs::path file;                 // appended to where it exists: a Range request
  std::uint64_t max_bytes = 0;         // 0: no limit; more is an error (data_corrupted)
  std::uint64_t bytes_per_second = 0;  // 0: no cap
  std::function<void(const DownloadProgress&)> on_progress;
  const std::atomic<bool>* cancelled = nullptr;  // looked at all the time; throws cancelled
};

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Any status is a value. Throws unavailable (no connection, TLS), deadline_exceeded,
  // resource_exhausted (response too large), invalid_argument (URL, certificate files), cancelled.
  [[nodiscard]] IncomingResponse send(const OutgoingRequest& request);

  // Bytes that arrived before a failure stay in the file, for the next attempt to go on from; when
  // it returns, the file is complete and synced. A server that ignores Range (200) makes it start
  // anew; 416 with a complete file is success. That the file is the right one is for the caller to
  // check, by its digest. Throws as send(), and not_found / permission_denied / unavailable and the
  // like by status.
  void download(const DownloadRequest& request);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::wire
