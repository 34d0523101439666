// SPDX-License-Identifier: Apache-2.0
// For tests of the S3 service: an operator's signed requests, and what came of them.
#pragma once

#include <string>

#include "api/testing/signed_request.hpp"

namespace andon::api {

class S3Test : public ApiTest {
 protected:
  void SetUp() override { objects.create_bucket("parts"); }

  wire::HttpResponse send(const RequestForTest& request) {
    return s3.handle(signed_request(request, operator_key, clock.now()));
  }
  wire::HttpResponse put(const std::string& target, const std::string& body,
                         wire::Headers headers = {}) {
    return send({.method = "PUT", .target = target, .body = body, .headers = std::move(headers)});
  }
  wire::HttpResponse post(const std::string& target, const std::string& body,
                          wire::Headers headers = {}) {
    return send({.method = "POST", .target = target, .body = body, .headers = std::move(headers)});
  }
  std::string get(const std::string& target) { return text_of(send({.target = target})); }

  // The S3 error code, or the status in brackets.
  static std::string code_of(const wire::HttpResponse& response) {
    const std::string code = element_of(text_of(response), "Code");
    return code.empty() ? "(" + std::to_string(response.status) + ")" : code;
  }
  static std::string message_of(const wire::HttpResponse& response) {
    return element_of(text_of(response), "Message");
  }
  static std::string element_of(const std::string& text, const std::string& name) {
    const std::size_t start = text.find("<" + name + ">");
    if (start == std::string::npos) return "";
    const std::size_t from = start + name.size() + 2;
    return text.substr(from, text.find("</", from) - from);
  }
  static std::string upload_id_of(const std::string& text) { return element_of(text, "UploadId"); }

  std::string begin_upload(const std::string& target, wire::Headers headers = {}) {
    return upload_id_of(text_of(post(target + "?uploads", "", std::move(headers))));
  }
};

}  // namespace andon::api
