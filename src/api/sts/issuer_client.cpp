// SPDX-License-Identifier: Apache-2.0
#include "api/sts/issuer_client.hpp"

#include <chrono>
#include <utility>

#include "base/error/error.hpp"
#include "trust/keys/jwt.hpp"
#include "wire/http/http_client.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::milliseconds kDeadline{5'000};
constexpr std::size_t kDeepest = 16;

// Without TLS, only what does not leave this machine.
void check_url(const std::string& url) {
  if (url.starts_with("https://") || url.starts_with("http://127.0.0.1:") ||
      url.starts_with("http://[::1]:") || url.starts_with("http://localhost:")) {
    return;
  }
  throw Error(ErrorCode::unavailable,
              "an identity provider is asked by https only, not by '" + url.substr(0, 200) + "'");
}

wire::HttpClient client_with(const std::string& ca_file) {
  return wire::HttpClient(
      {.ca_file = ca_file, .connect_timeout = kDeadline, .stall_timeout = kDeadline});
}

base::json::object object_of(const std::string& body, const std::string& what) {
  base::json::value document =
      base::parse_json(body, what, {.max_bytes = trust::kMostKeySetBytes, .max_depth = kDeepest});
  if (auto* const object = document.if_object()) return std::move(*object);
  throw Error(ErrorCode::unavailable, what + " is no JSON object");
}

}  // namespace

std::string IssuerClient::get(const std::string& url) const {
  check_url(url);
  if (fetch_) return fetch_(url);
  wire::HttpClient client = client_with(ca_file_);
  wire::OutgoingRequest request;
  request.url = url;
  request.timeout = kDeadline;
  request.max_response_bytes = trust::kMostKeySetBytes;
  const wire::IncomingResponse response = client.send(request);
  if (response.status != 200) {
    throw Error(ErrorCode::unavailable, url + " answered HTTP " + std::to_string(response.status));
  }
  return response.body;
}

IssuerClient::Answer IssuerClient::post_form(const std::string& url, const std::string& form,
                                             const wire::Headers& headers) const {
  check_url(url);
  wire::HttpClient client = client_with(ca_file_);
  wire::OutgoingRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = headers;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.headers.set("Accept", "application/json");
  request.body = form;
  request.timeout = kDeadline;
  request.max_response_bytes = trust::kMostKeySetBytes;
  const wire::IncomingResponse response = client.send(request);
  return {response.status, object_of(response.body, "the answer of " + url)};
}

base::json::object IssuerClient::discover(const std::string& issuer) const {
  const std::string base_url = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
  base::json::object document =
      object_of(get(base_url + "/.well-known/openid-configuration"), "the discovery document");
  if (issuer_text(document, "issuer") != issuer) {
    throw Error(ErrorCode::unavailable, "its discovery document is of another issuer");
  }
  return document;
}

std::string issuer_text(const base::json::object& document, std::string_view member) {
  const auto* const value = document.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace andon::api
