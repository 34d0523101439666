// SPDX-License-Identifier: Apache-2.0
// The status line and header of a response as bytes. Pure; internal to the HTTP server.
#pragma once

#include <string>

#include "wire/http.hpp"

namespace andon::wire {

// Ends with the empty line. Content-Length, Connection and Date are the server's to set. Throws
// internal for a header field that would break the message (a line end in it).
[[nodiscard]] std::string response_head(const HttpResponse& response, bool is_head,
                                        bool keep_alive);

// 1xx, 204 and 304 have none.
[[nodiscard]] bool may_have_body(int status);

}  // namespace andon::wire
