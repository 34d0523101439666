// SPDX-License-Identifier: Apache-2.0
#include "api/outcomes.hpp"

#include <utility>

#include "api/table/authenticator.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::api {

using base::Error;
using base::ErrorCode;
using wire::HttpResponse;

bool has_secrets(std::string_view service) {
  return service == "ssm" || service == "secretsmanager";
}

base::json::object read_json_object(const std::string& body, std::uint64_t most) {
  if (body.empty()) return {};
  try {
    base::json::value parsed = base::parse_json(body, "request body", {.max_bytes = most});
    if (!parsed.is_object()) {
      throw Error(ErrorCode::invalid_argument, "the request body is not a JSON object");
    }
    return std::move(parsed.as_object());
  } catch (const Error& error) {
    throw ServiceError(400, "SerializationException", error.message());
  }
}

ServiceError translate_failure(const std::exception_ptr& failure, const std::string& service,
                               const std::string& request_id) {
  try {
    std::rethrow_exception(failure);
  } catch (const ServiceError& error) {
    return error;
  } catch (const AuthenticationError& error) {
    const bool is_query = service == "iam" || service == "sts" || service == "cloudformation";
    return is_query ? translate_for_query(error) : translate(error);
  } catch (const Error& error) {
    ServiceError translated = translate(service, error);
    if (error.code() != ErrorCode::internal) return translated;
    base::log_error("an operation failed", {{"request", request_id}, {"error", error.message()}});
    return {translated.http_status(), translated.code(),
            "a defect of the server: its log has more, under request " + request_id};
  } catch (const std::exception& error) {
    base::log_error("an operation failed", {{"request", request_id}, {"error", error.what()}});
    const ServiceError translated = translate(service, Error(ErrorCode::internal, ""));
    return {translated.http_status(), translated.code(),
            "a defect of the server: its log has more, under request " + request_id};
  }
}

HttpResponse refuse(const ServiceError& error, const Asked& asked, CallAudit& audit) {
  audit.failed(error.http_status(), error.code());
  return error_response(asked, error);
}

HttpResponse recorded(HttpResponse answer, const Asked& asked, CallAudit& audit) {
  try {
    audit.record();
    return answer;
  } catch (const Error& error) {
    return error_response(asked, translate(asked.service, error));
  }
}

}  // namespace andon::api
