// SPDX-License-Identifier: Apache-2.0
#include "api/request_input.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;

void check_headers(const Operation& operation, const HttpRequest& request) {
  constexpr std::array<std::string_view, 7> kSigning{
      "x-amz-date",   "x-amz-content-sha256", "x-amz-security-token",        "x-amz-user-agent",
      "x-amz-target", "x-amz-api-version",    "x-amz-decoded-content-length"};
  for (const auto& [name, value] : request.headers.fields()) {
    const std::string lowered = base::to_lower(name);
    const bool is_member = std::ranges::any_of(operation.headers, [&](const HeaderMember& named) {
      return base::equal_ignoring_case(named.header, lowered);
    });
    if (!lowered.starts_with("x-amz-") || is_member ||
        std::ranges::find(kSigning, lowered) != kSigning.end()) {
      continue;
    }
    throw Error(ErrorCode::unsupported,
                lowered + ": this server does not support it; leave it out");
  }
}

void add_query(base::json::object& input, const HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (name.starts_with("X-Amz-")) continue;
    const auto count = std::ranges::count(
        request.query, name, [](const auto& item) -> const std::string& { return item.first; });
    if (count == 1) {
      input[name] = value;
      continue;
    }
    auto& values = input[name];
    if (!values.is_array()) values = base::json::array();
    values.as_array().emplace_back(value);
  }
}

void add_headers(base::json::object& input, const Operation& operation, const HttpRequest& request,
                 const std::vector<std::string>& signed_headers) {
  for (const HeaderMember& named : operation.headers) {
    const auto value = request.headers.find(named.header);
    if (!value) continue;
    if (std::ranges::find(signed_headers, named.header) == signed_headers.end()) {
      throw ServiceError(403, "InvalidSignatureException",
                         "the header " + std::string(named.header) + " must be signed");
    }
    input[named.member] = *value;
  }
}

}  // namespace andon::api
