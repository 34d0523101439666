// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_client.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "base/text/number.hpp"
#include "wire/http/curl_transfer.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kErrorTextBytes = 1024;

class MemorySink final : public ResponseSink {
 public:
  MemorySink(const OutgoingRequest& request) : request_(request) {}

  void on_head(int status, const Headers& headers) override {
    response_.status = status;
    response_.headers = headers;
  }
  void on_bytes(std::string_view bytes) override {
    if (response_.body.size() + bytes.size() > request_.max_response_bytes) {
      throw Error(ErrorCode::resource_exhausted, "the response is larger than the limit of " +
                                                     std::to_string(request_.max_response_bytes) +
                                                     " bytes");
    }
    response_.body.append(bytes);
  }
  IncomingResponse take() { return std::move(response_); }

 private:
  const OutgoingRequest& request_;
  IncomingResponse response_;
};

// "bytes 100-199/200" or "bytes */200".
struct ContentRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> total;
};

ContentRange read_content_range(const Headers& headers) {
  std::string_view text = headers.find("Content-Range").value_or("");
  if (!text.starts_with("bytes ")) return {};
  text.remove_prefix(6);
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  return {base::parse_uint64(text.substr(0, std::min(text.find('-'), slash))),
          base::parse_uint64(text.substr(slash + 1))};
}

ErrorCode code_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::permission_denied;
    case 404:
    case 410:
      return ErrorCode::not_found;
    case 408:
    case 429:
      return ErrorCode::unavailable;
    default:
      return status >= 400 && status < 500 ? ErrorCode::failed_precondition
                                           : ErrorCode::unavailable;
  }
}

// Where a download's bytes go; knows what the server made of the Range that was asked for.
class FileSink final : public ResponseSink {
 public:
  explicit FileSink(const DownloadRequest& request)
      : request_(request), fd_(base::open_file(request.file, O_RDWR | O_CREAT)) {
    const off_t end = lseek(fd_.get(), 0, SEEK_END);
    if (end < 0) throw problem("cannot find the end of");
    progress_.received = static_cast<std::uint64_t>(end);
    if (request.max_bytes > 0 && progress_.received > request.max_bytes) start_anew();
  }

  [[nodiscard]] const DownloadProgress& progress() const { return progress_; }

  void on_head(int status, const Headers& headers) override {
    status_ = status;
    range_ = read_content_range(headers);
    error_text_.clear();
    if (status == 206) {
      if (range_.first != progress_.received) {
        throw Error(ErrorCode::data_corrupted,
                    "the server sent another range than the one from byte " +
                        std::to_string(progress_.received) + " on");
      }
      progress_.total = range_.total.value_or(0);
    } else if (status == 200) {
      if (progress_.received > 0) start_anew();
      progress_.total = base::parse_uint64(headers.find("Content-Length").value_or("")).value_or(0);
    }
    check_size(progress_.total);
  }

  void on_bytes(std::string_view bytes) override {
    if (status_ != 200 && status_ != 206) {
      error_text_.append(bytes.substr(0, kErrorTextBytes - error_text_.size()));
      return;
    }
    check_size(progress_.received + bytes.size());
    base::write_all(fd_.get(), bytes, request_.file);
    progress_.received += bytes.size();
  }

  // False where the file has nothing to do with what the server has, and was emptied.
  [[nodiscard]] bool finish() {
    if (status_ == 416) {
      if (range_.total == progress_.received) return sync();
      start_anew();
      return false;
    }
    if (status_ != 200 && status_ != 206) {
      std::string message = "the server answered " + std::to_string(status_);
      while (!error_text_.empty() && error_text_.back() == '\n') error_text_.pop_back();
      if (!error_text_.empty()) message += ": " + error_text_;
      throw Error(code_of_status(status_), message);
    }
    return sync();
  }

 private:
  Error problem(std::string_view what) const {
    return base::system_error(std::string(what) + " '" + request_.file.string() + "'", errno);
  }

  bool sync() {
    base::may_block("fsync");
    if (fsync(fd_.get()) != 0) throw problem("cannot sync");
    return true;
  }

  void start_anew() {
    if (ftruncate(fd_.get(), 0) != 0 || lseek(fd_.get(), 0, SEEK_SET) != 0) {
      throw problem("cannot empty");
    }
    progress_.received = 0;
  }

  // What is too large is not the file that was meant: nothing of it is kept.
  void check_size(std::uint64_t size) {
    if (request_.max_bytes == 0 || size <= request_.max_bytes) return;
    start_anew();
    throw Error(ErrorCode::data_corrupted, "the file is larger than the " +
                                               std::to_string(request_.max_bytes) +
                                               " bytes that it should have");
  }

  const DownloadRequest& request_;
  base::UniqueFd fd_;
  DownloadProgress progress_;
  int status_ = 0;
  ContentRange range_;
  std::string error_text_;
};

}  // namespace

class HttpClient::Implementation {
 public:
  explicit Implementation(HttpClientOptions options) : transfer_(std::move(options)) {}

  IncomingResponse send(const OutgoingRequest& request) {
    MemorySink sink(request);
    CurlRequest curl{.method = request.method,
                     .url = request.url,
                     .headers = request.headers,
                     .body = request.body,
                     .body_file = request.body_file,
                     .timeout = request.timeout,
                     .cancelled = request.cancelled,
                     .on_sent = request.on_progress};
    transfer_.run(curl, sink);
    return sink.take();
  }

  void download(const DownloadRequest& request) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      FileSink sink(request);
      CurlRequest curl{.method = "GET",
                       .url = request.url,
                       .headers = request.headers,
                       .bytes_per_second = request.bytes_per_second,
                       .cancelled = request.cancelled};
      if (sink.progress().received > 0) {
        curl.headers.set("Range", "bytes=" + std::to_string(sink.progress().received) + "-");
      }
      std::uint64_t reported = 0;
      curl.on_tick = [&] {
        if (!request.on_progress || sink.progress().received == reported) return;
        reported = sink.progress().received;
        request.on_progress(sink.progress());
      };
      transfer_.run(curl, sink);
      try {
        if (sink.finish()) return;
      } catch (Error& error) {
        throw error.with_context("cannot download " + without_secrets(request.url));
      }
    }
    throw Error(ErrorCode::unavailable, "cannot download " + without_secrets(request.url) +
                                            ": the server refuses every range of it");
  }

 private:
  CurlTransfer transfer_;
};

HttpClient::HttpClient(HttpClientOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

IncomingResponse HttpClient::send(const OutgoingRequest& request) {
  return implementation_->send(request);
}

void HttpClient::download(const DownloadRequest& request) {
  implementation_->download(request);
}

}  // namespace andon::wire
