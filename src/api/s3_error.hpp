// SPDX-License-Identifier: Apache-2.0
// What S3 says when it refuses: a code of its own, a status, and an XML document. Pure.
#pragma once

#include <exception>
#include <string>

#include "api/authenticator.hpp"
#include "base/error.hpp"
#include "wire/http.hpp"

namespace andon::api {

class S3Error final : public std::exception {
 public:
  S3Error(int status, std::string code, std::string message)
      : status_(status), code_(std::move(code)), message_(std::move(message)) {}
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string code_;
  std::string message_;
};

[[nodiscard]] S3Error translate_for_s3(const base::Error& error);
[[nodiscard]] S3Error translate_for_s3(const AuthenticationError& error);
[[nodiscard]] S3Error no_such_bucket(const std::string& bucket);
[[nodiscard]] S3Error no_such_key(const std::string& key);
[[nodiscard]] S3Error malformed_xml(const std::string& what);
[[nodiscard]] S3Error invalid_argument(const std::string& what);

[[nodiscard]] wire::HttpResponse s3_error_response(const S3Error& error, const std::string& path,
                                                   const std::string& request_id);

}  // namespace andon::api
