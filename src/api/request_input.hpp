// SPDX-License-Identifier: Apache-2.0
// What of a request beside its body and its path becomes an operation's input. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "api/table/operation.hpp"
#include "base/json/json.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// What a header of the request would ask for is not honoured (x-amz-s3-endpoint-type ...): throws
// unsupported for one that is neither a member nor says only who asks and how it is signed.
void check_headers(const Operation& operation, const wire::HttpRequest& request);

// A name that comes more than once becomes a list.
void add_query(base::json::object& input, const wire::HttpRequest& request);

// Only what the caller has signed: a header that somebody added on the way is not the caller's
// word. Throws ServiceError(InvalidSignatureException).
void add_headers(base::json::object& input, const Operation& operation,
                 const wire::HttpRequest& request, const std::vector<std::string>& signed_headers);

}  // namespace andon::api
