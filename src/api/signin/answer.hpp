// SPDX-License-Identifier: Apache-2.0
// Answers as pages of the console read them: JSON, whatever protocol the service has for its other
// clients; errors as {"code", "message"}. Pure; any thread.
#pragma once

#include "api/table/operation.hpp"
#include "base/json/fwd.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// Null is an empty object.
[[nodiscard]] wire::HttpResponse console_answer(const base::json::value& output);
[[nodiscard]] wire::HttpResponse console_error(const ServiceError& error);

}  // namespace andon::api
