// SPDX-License-Identifier: Apache-2.0
// Requests to the object store of the server that the device is enrolled with, signed with the
// temporary credentials of its role. Credentials that were refused are fetched anew by the next
// request, which goes by the server's clock. One thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "edge/streams/exports/export_target.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {

// The server's answer, where it is no success: unavailable where the same may succeed later.
class ObjectError : public base::Error {
 public:
  ObjectError(base::ErrorCode code, std::string s3_code, const std::string& message)
      : base::Error(code, message), s3_code_(std::move(s3_code)) {}

  [[nodiscard]] const std::string& s3_code() const { return s3_code_; }  // "NoSuchUpload"

 private:
  std::string s3_code_;
};

class ObjectClient {
 public:
  struct Request {
    std::string method;
    std::string bucket;
    std::string key;
    std::string query;  // with its values encoded, as "uploads="
    wire::Headers headers;
    std::string body;
    base::fs::path body_file;    // in its place
    std::string payload_sha256;  // needed with body_file
  };

  // `world` outlives it.
  explicit ObjectClient(const ExportWorld& world);

  // The answer, a success. Throws ObjectError, and base::Error where there was no answer.
  wire::IncomingResponse call(Request request, const std::atomic<bool>& cancelled);

 private:
  const ExportWorld& world_;
  base::SystemClock clock_;
  std::chrono::milliseconds server_ahead_{0};  // by its own word
  wire::HttpClient http_;
};

// What an answer of S3 says between <tag> and </tag>; empty where it does not.
[[nodiscard]] std::string xml_element(const std::string& xml, const std::string& tag);

}  // namespace andon::edge
