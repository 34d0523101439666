// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange at a time by libcurl, with deadlines and cancellation; connections are kept
// between exchanges. Internal to wire: HttpClient gives it its sinks. One thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wire/http/http_client.hpp"

namespace andon::wire {

// Takes the response as it comes. What it throws ends the exchange and is passed on.
class ResponseSink {
 public:
  ResponseSink() = default;
  ResponseSink(const ResponseSink&) = delete;
  ResponseSink& operator=(const ResponseSink&) = delete;
  virtual ~ResponseSink() = default;
  virtual void on_head(int status, const Headers& headers) = 0;
  virtual void on_bytes(std::string_view bytes) = 0;
};

struct CurlRequest {
  std::string method;
  std::string url;
  Headers headers;
  std::string_view body;
  base::fs::path body_file;              // sent instead of `body` when not empty
  std::chrono::milliseconds timeout{0};  // 0: only the stall timeout holds
  std::uint64_t bytes_per_second = 0;
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint64_t sent, std::uint64_t total)> on_sent;
  std::function<void()> on_tick;  // now and then, on the calling thread, and at the end
};

class CurlTransfer {
 public:
  explicit CurlTransfer(HttpClientOptions options);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;
  ~CurlTransfer();

  void run(const CurlRequest& request, ResponseSink& sink);

 private:
  class Exchange;
  struct Handles;

  HttpClientOptions options_;
  std::unique_ptr<Handles> handles_;
};

// The URL without user, password and query.
[[nodiscard]] std::string without_secrets(std::string_view url);

}  // namespace andon::wire
