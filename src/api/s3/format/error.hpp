// SPDX-License-Identifier: Apache-2.0
// What S3 says when it refuses: a code of its own, a status, and an XML document. Pure.
#pragma once

#include <exception>
#include <string>

#include "api/table/authenticator.hpp"
#include "base/error/error.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

class S3Error final : public std::exception {
 public:
  S3Error(int status, std::string code, std::string message)
      : status_(status), code_(std::move(code)), message_(std::move(message)) {}
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& code() const { return code_; }
  // Fields of the response beside the document ("Content-Range" of a 416).
  S3Error with_header(std::string name, std::string value) && {
    headers_.set(std::move(name), std::move(value));
    return std::move(*this);
  }
  [[nodiscard]] const wire::Headers& headers() const { return headers_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  std::string code_;
  std::string message_;
  wire::Headers headers_;
};

[[nodiscard]] S3Error translate_for_s3(const base::Error& error);
[[nodiscard]] S3Error translate_for_s3(const AuthenticationError& error);
[[nodiscard]] S3Error no_such_bucket(const std::string& bucket);
[[nodiscard]] S3Error no_such_key(const std::string& key);
// Of a version, or, where the id is empty, of the object.
[[nodiscard]] S3Error no_such_version(const std::string& key, const std::string& version_id);
[[nodiscard]] S3Error malformed_xml(const std::string& what);
[[nodiscard]] S3Error invalid_argument(const std::string& what);
// For access lists: there are none.
[[nodiscard]] S3Error no_access_lists();
// For what S3 has and this store has not: `what` names it.
[[nodiscard]] S3Error not_implemented(const std::string& what);

[[nodiscard]] wire::HttpResponse s3_error_response(const S3Error& error, const std::string& path,
                                                   const std::string& request_id);

}  // namespace andon::api
