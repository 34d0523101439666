// SPDX-License-Identifier: Apache-2.0
// arn:aws:states:::http:invoke without the network: from a state's parameters and a connection to
// the request, from the response to the state's result, each as Step Functions has it. What a
// connection holds is in the request alone: results and failures are without it. Pure; any thread.
// Throws workflow::TaskFailure.
#pragma once

#include <string>
#include <vector>

#include "api/endpoints/allowed_hosts.hpp"
#include "base/json/json.hpp"
#include "control/connections/authorization.hpp"
#include "wire/http/http_client.hpp"

namespace andon::api {

namespace json = base::json;

inline constexpr std::size_t kMostHttpBytes = 262'144;  // of a response's body

// Of Authentication, or of InvocationConfig.
[[nodiscard]] std::string connection_arn_of(const json::value& parameters);

// States.Permissions for a host that is not allowed, States.Runtime for what is wrong in the
// parameters.
[[nodiscard]] wire::OutgoingRequest http_request(const json::value& parameters,
                                                 const control::Authorization& authorization,
                                                 const AllowedHosts& allowed,
                                                 const std::string& region);

// States.Http.StatusCode.N for what is not 2xx, States.Runtime for what is no text.
[[nodiscard]] json::value http_result(const wire::IncomingResponse& response,
                                      const control::Authorization& authorization);

// {"a": {"b": [1, 2]}} -> "a%5Bb%5D%5B0%5D=1&..."; `array_format` is INDICES, REPEAT, COMMAS or
// BRACKETS.
[[nodiscard]] std::string form_encoded(const json::object& members, std::string_view array_format);

}  // namespace andon::api
