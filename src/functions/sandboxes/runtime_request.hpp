// SPDX-License-Identifier: Apache-2.0
// What a function's runtime asks of the Lambda runtime API (version 2018-06-01), and what a caller
// is told of an error. What is read is from outside. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/local/local_http.hpp"

namespace andon::functions {

struct RuntimeRequest {
  enum class Kind : std::uint8_t { next, response, error, init_error, unknown };
  Kind kind = Kind::unknown;
  std::string id;  // of the call; response and error
};
[[nodiscard]] RuntimeRequest read_runtime_request(const wire::LocalHttpRequest& request);

// The payload that a caller gets for an error that the runtime told: its own where that is a JSON
// object, else one with the type of its header.
[[nodiscard]] std::string error_payload(const wire::LocalHttpRequest& request);
// {"errorType", "errorMessage"}.
[[nodiscard]] std::string error_payload(std::string_view type, std::string_view message);

}  // namespace andon::functions
