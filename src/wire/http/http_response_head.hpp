// SPDX-License-Identifier: Apache-2.0
// The status line and header of a response as bytes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "wire/http/http.hpp"

namespace andon::wire {

// Ends with the empty line. Content-Length, Connection and Date are the server's to set. Throws
// internal for a header field that would break the message (a line end in it).
[[nodiscard]] std::string response_head(const HttpResponse& response, bool is_head,
                                        bool keep_alive);

// "Not Found"; "Unknown" for a number that has no name.
[[nodiscard]] std::string_view status_text(int status);

// 1xx, 204 and 304 have none.
[[nodiscard]] bool may_have_body(int status);

}  // namespace andon::wire
