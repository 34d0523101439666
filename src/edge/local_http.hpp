// SPDX-License-Identifier: Apache-2.0
// The little HTTP/1.1 that the token exchange service needs: one GET without a body, one answer,
// then the connection closes. Pure; any thread. What it reads is from outside.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace andon::edge {

constexpr std::size_t kMaxHttpHeadBytes = 8192;

struct LocalHttpRequest {
  std::string method;
  std::string path;                            // without the query
  std::map<std::string, std::string> headers;  // names in lower case
};

// Nothing while the head is not complete. Throws invalid_argument for what is not HTTP/1.x and
// resource_exhausted for a head over kMaxHttpHeadBytes.
[[nodiscard]] std::optional<LocalHttpRequest> parse_local_http(std::string_view received);

[[nodiscard]] std::string make_local_http_answer(int status, std::string_view json_body);

}  // namespace andon::edge
