// SPDX-License-Identifier: Apache-2.0
#include "api/answers.hpp"

#include "api/other_services.hpp"
#include "api/signin/answer.hpp"
#include "base/json/json.hpp"
#include "fleet/names/reason.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

std::string_view content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::aws_json_1_0:
      return "application/x-amz-json-1.0";
    case Protocol::aws_json_1_1:
      return "application/x-amz-json-1.1";
    case Protocol::rest_json:
    case Protocol::query:
      break;
  }
  return "application/json";
}

HttpResponse json_response(Protocol protocol, int status, std::string body) {
  HttpResponse response{.status = status};
  response.headers.set("Content-Type", std::string(content_type(protocol)));
  response.body = std::move(body);
  return response;
}

Protocol protocol_of(const HttpRequest& request) {
  if (request.headers.find("X-Amz-Target")) {
    const bool is_older = request.headers.find("Content-Type").value_or("").ends_with("json-1.0");
    return is_older ? Protocol::aws_json_1_0 : Protocol::aws_json_1_1;
  }
  return is_form(request) || is_rest_xml(request) ? Protocol::query : Protocol::rest_json;
}

// RFC 8949: a text of at most 65,535 bytes.
void append_cbor_text(std::string& out, std::string_view text) {
  constexpr std::size_t kMost = 0xffff;
  constexpr unsigned kByte = 8;
  text = text.substr(0, kMost);
  out += '\x79';
  out += static_cast<char>(text.size() >> kByte);
  out += static_cast<char>(text.size() & 0xffU);
  out += text;
}

HttpResponse cbor_error(const ServiceError& error) {
  std::string body = "\xa2";  // a map of two
  append_cbor_text(body, "__type");
  append_cbor_text(body, error.code());
  append_cbor_text(body, "message");
  append_cbor_text(body, error.what());
  HttpResponse response{.status = error.http_status()};
  response.headers.set("Content-Type", "application/cbor");
  response.headers.set("smithy-protocol", "rpc-v2-cbor");
  response.body = std::move(body);
  return response;
}

HttpResponse blob_response(const Operation& operation, const base::json::value& output) {
  const auto member = [&](std::string_view name) {
    return output.is_object() && !name.empty() ? output.get_object().if_contains(name) : nullptr;
  };
  HttpResponse response = json_response(operation.protocol, operation.success_status, {});
  if (const auto* status = member(operation.blob.status)) {
    response.status = static_cast<int>(status->as_int64());
  }
  for (const HeaderMember& named : operation.blob.headers) {
    if (const auto* value = member(named.member)) {
      response.headers.set(std::string(named.header), std::string(value->as_string()));
    }
  }
  if (const auto* body = member(operation.blob.output))
    response.body = std::string(body->as_string());
  return response;
}

}  // namespace

Asked asked_of_unknown(const HttpRequest& request, std::string_view service,
                       const std::string& request_id) {
  return {.protocol = protocol_of(request),
          .service = service,
          .request_id = request_id,
          .is_cbor = is_cbor(request)};
}

bool is_cbor(const HttpRequest& request) {
  return request.headers.find("smithy-protocol") == "rpc-v2-cbor";
}

HttpResponse error_response(const Asked& asked, const ServiceError& error) {
  if (asked.is_console) return console_error(error);
  if (asked.is_cbor) return cbor_error(error);
  const Protocol protocol = asked.protocol;
  if (protocol == Protocol::query) {
    return form_error({asked.service, asked.request_id, asked.language}, error);
  }
  base::json::object body;
  // Both spellings of the message: AWS's services do not agree on one, clients take either.
  if (has_target(protocol)) body["__type"] = error.code();
  body["message"] = error.what();
  if (has_target(protocol)) body["Message"] = error.what();
  if (!error.reason().empty()) body[fleet::kReasonMember] = error.reason();
  HttpResponse response = json_response(protocol, error.http_status(), base::to_text(body));
  response.headers.set("x-amzn-errortype", error.code());
  return response;
}

HttpResponse success_response(const Operation& operation, const base::json::value& output,
                              const Asked& asked) {
  if (asked.is_console) return console_answer(output);
  if (operation.protocol == Protocol::query) {
    return form_answer({asked.service, asked.request_id, asked.language}, operation.name, output);
  }
  if (!operation.blob.output.empty()) return blob_response(operation, output);
  return json_response(operation.protocol, operation.success_status,
                       output.is_null() ? std::string() : base::to_text(output));
}

ServiceError unknown_operation(Protocol protocol, const std::string& what) {
  if (protocol == Protocol::query) return {400, "InvalidAction", what};
  return {has_target(protocol) ? 400 : 404, "UnknownOperationException", what};
}

bool is_form(const HttpRequest& request) {
  return request.headers.find("Content-Type")
      .value_or("")
      .starts_with("application/x-www-form-urlencoded");
}

ServiceError unknown_service(const std::string& name, const HttpRequest& request) {
  return unknown_operation(protocol_of(request),
                           "this server has no service '" + name.substr(0, 100) + "'");
}

}  // namespace andon::api
