// SPDX-License-Identifier: Apache-2.0
#include "api/signin/answer.hpp"

#include "base/json/json.hpp"
#include "fleet/names/reason.hpp"

namespace andon::api {
namespace {

wire::HttpResponse json_answer(int status, const base::json::value& body) {
  wire::HttpResponse response{.status = status};
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.body = base::to_text(body);
  return response;
}

}  // namespace

wire::HttpResponse console_answer(const base::json::value& output) {
  return json_answer(200, output.is_null() ? base::json::value(base::json::object()) : output);
}

wire::HttpResponse console_error(const ServiceError& error) {
  base::json::object body{{"code", error.code()}, {"message", error.what()}};
  if (!error.reason().empty()) body[fleet::kReasonMember] = error.reason();
  return json_answer(error.http_status(), body);
}

}  // namespace andon::api
