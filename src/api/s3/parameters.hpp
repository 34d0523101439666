// SPDX-License-Identifier: Apache-2.0
// Which query parameters and header fields each operation honours: the one table. A condition, a
// protection or anything else of S3 that is not in it is refused by name, so that nobody takes it
// for granted. docs/object-store.md shows it, and a test compares it with AWS's own model.
// Pure; any thread.
#pragma once

#include <string_view>

#include "api/s3/call.hpp"

namespace andon::api {

// Throws S3Error: NotImplemented for what `operation` does not honour, InvalidArgument for a value
// that is none of those which are, AccessDenied where another owner of the bucket is expected.
void check_parameters(const S3Call& call, std::string_view operation);

// What came in the query and does not belong to the signature: its first name, or "".
[[nodiscard]] std::string_view first_parameter(const wire::HttpRequest& request);

}  // namespace andon::api
