// SPDX-License-Identifier: Apache-2.0
// What becomes of a call on the router's road: its body read, its failure put into the words of its
// service, its answer recorded. Any thread.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "api/answers.hpp"
#include "api/audit/call_audit.hpp"
#include "api/table/operation.hpp"
#include "base/json/json.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// What holds secrets stays in memory, and is not spooled to a file (http_server.hpp).
inline constexpr std::size_t kSecretBodyBytes = 200'000;
[[nodiscard]] bool has_secrets(std::string_view service);

// Of a request's body; empty is an object without members. Throws
// ServiceError(SerializationException).
[[nodiscard]] base::json::object read_json_object(const std::string& body, std::uint64_t most);

// What a handler threw, as the client is to see it. A defect's text stays in the log.
[[nodiscard]] ServiceError translate_failure(const std::exception_ptr& failure,
                                             const std::string& service,
                                             const std::string& request_id);
// The answer to a call that failed; it is yet to be recorded.
[[nodiscard]] wire::HttpResponse refuse(const ServiceError& error, const Asked& asked,
                                        CallAudit& audit);
// The answer, once the call is recorded; another one where it cannot be.
[[nodiscard]] wire::HttpResponse recorded(wire::HttpResponse answer, const Asked& asked,
                                          CallAudit& audit);

}  // namespace andon::api
