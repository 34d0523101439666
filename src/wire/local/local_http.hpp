// SPDX-License-Identifier: Apache-2.0
// The little HTTP/1.1 that a program on a device serves to its neighbours: one request, one answer,
// then the connection closes. Pure; any thread. What it reads is from outside.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace andon::wire {

struct LocalHttpSize {
  std::size_t head_bytes = 8192;
  std::size_t body_bytes = 0;
};

struct LocalHttpRequest {
  std::string method;
  std::string path;                            // without the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct LocalHttpAnswer {
  int status = 200;
  std::string content_type = "text/plain";
  std::string body;
  std::map<std::string, std::string> headers = {};  // beside those that follow from the body
};

// Nothing while the request is not complete. Throws invalid_argument for what is not HTTP/1.x or
// has a body whose length is not told, and resource_exhausted for what is larger than `most`.
[[nodiscard]] std::optional<LocalHttpRequest> parse_local_http(std::string_view received,
                                                               const LocalHttpSize& most = {});

[[nodiscard]] std::string to_text(const LocalHttpAnswer& answer);

}  // namespace andon::wire
