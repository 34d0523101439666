// SPDX-License-Identifier: Apache-2.0
#include "api/router.hpp"

#include <algorithm>

#include "api/service_errors.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/log.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;
using wire::HttpResponse;

constexpr std::size_t kPiecesOfCredential = 5;  // key/date/region/service/aws4_request

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

// The service in the credential scope, before anything of the signature has been believed.
std::optional<std::string> claimed_service(const HttpRequest& request) {
  std::string credential;
  if (const auto authorization = request.headers.find("Authorization")) {
    constexpr std::string_view kField = "Credential=";
    const std::size_t at = authorization->find(kField);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = authorization->substr(at + kField.size());
    credential = rest.substr(0, rest.find_first_of(", "));
  } else {
    credential = request.query_value("X-Amz-Credential").value_or("");
  }
  const auto pieces = split(credential, '/');
  if (pieces.size() < kPiecesOfCredential) return std::nullopt;
  return std::string(pieces[pieces.size() - 2]);
}

std::string_view content_type(Protocol protocol) {
  return protocol == Protocol::rest_json ? "application/json" : "application/x-amz-json-1.1";
}

HttpResponse json_response(Protocol protocol, int status, std::string body) {
  HttpResponse response{.status = status};
  response.headers.set("Content-Type", std::string(content_type(protocol)));
  response.body = std::move(body);
  return response;
}

HttpResponse error_response(Protocol protocol, const ServiceError& error) {
  base::json::object body;
  // Both spellings of the message: AWS's services do not agree on one, clients take either.
  if (protocol == Protocol::aws_json_1_1) body["__type"] = error.code();
  body["message"] = error.what();
  if (protocol == Protocol::aws_json_1_1) body["Message"] = error.what();
  HttpResponse response = json_response(protocol, error.http_status(), base::to_text(body));
  response.headers.set("x-amzn-errortype", error.code());
  return response;
}

HttpResponse plain_response(int status, std::string text) {
  HttpResponse response{.status = status};
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

ServiceError unknown_operation(Protocol protocol, const std::string& what) {
  return {protocol == Protocol::rest_json ? 404 : 400, "UnknownOperationException", what};
}

// What a handler threw, as the client is to see it. A defect's text stays in the log.
ServiceError translate_current_exception(const std::string& service,
                                         const std::string& request_id) {
  try {
    throw;
  } catch (const ServiceError& error) {
    return error;
  } catch (const AuthenticationError& error) {
    return translate(error);
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

void add_query(base::json::object& input, const HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (name.starts_with("X-Amz-")) continue;
    const auto count = std::ranges::count(
        request.query, name, [](const auto& item) -> const std::string& { return item.first; });
    if (count == 1) {
      input[name] = value;
      continue;
    }
    auto& values = input[name];
    if (!values.is_array()) values = base::json::array();
    values.as_array().emplace_back(value);
  }
}

}  // namespace

Router::Router(std::vector<Operation> operations, S3Service& s3, const Authenticator& authenticator,
               RouterOptions options)
    : operations_(std::move(operations)),
      s3_(s3),
      authenticator_(authenticator),
      options_(std::move(options)) {
  for (const Operation& operation : operations_) {
    Service& service =
        services_.try_emplace(std::string(operation.service), Service{operation.protocol, {}, {}})
            .first->second;
    const bool is_new = service.targets.emplace(operation.name, &operation).second;
    if (!is_new || service.protocol != operation.protocol) {
      throw Error(ErrorCode::internal, "operation " + std::string(operation.name) + " of " +
                                           std::string(operation.service) +
                                           " is there twice or of another protocol");
    }
    if (operation.protocol == Protocol::rest_json) {
      service.routes.push_back({parse_template(operation.path), &operation});
    }
  }
  for (auto& [name, service] : services_) {
    // A literal is tried before a parameter in its place.
    std::ranges::stable_sort(service.routes, {}, &Route::segments);
  }
}

HttpResponse Router::handle(const HttpRequest& request) const {
  if (request.path == "/healthz") return plain_response(200, "ok\n");
  if (request.path == "/readyz") {
    const std::string reason =
        options_.not_ready_because ? options_.not_ready_because() : std::string();
    return reason.empty() ? plain_response(200, "ready\n") : plain_response(503, reason + "\n");
  }
  const auto name = claimed_service(request);
  if (name == "s3") return s3_.handle(request);
  const std::string request_id = base::random_uuid();
  HttpResponse response = [&] {
    if (!name) return refuse_unsigned(request);
    const auto service = services_.find(*name);
    if (service == services_.end()) {
      return error_response(
          Protocol::rest_json,
          unknown_operation(Protocol::rest_json, "this server has no service '" + *name + "'"));
    }
    try {
      return call(*name, service->second, request);
    } catch (...) {
      return error_response(service->second.protocol,
                            translate_current_exception(*name, request_id));
    }
  }();
  response.headers.set("x-amzn-requestid", request_id);
  base::log_debug("request", {{"method", request.method},
                              {"path", request.path},
                              {"service", name.value_or("")},
                              {"status", response.status},
                              {"request", request_id}});
  return response;
}

HttpResponse Router::call(const std::string& service_name, const Service& service,
                          const HttpRequest& request) const {
  if (request.body.size() > options_.max_body_bytes) {
    throw ServiceError(413, "RequestEntityTooLargeException",
                       "the request has " + std::to_string(request.body.size()) +
                           " bytes; at most " + std::to_string(options_.max_body_bytes) +
                           " are allowed");
  }
  const Identity identity = authenticator_.authenticate(request);
  check_payload(identity, request.body);
  if (identity.caller.principal != control::kOperatorPrincipal) {
    throw ServiceError(403, "AccessDeniedException",
                       identity.caller.principal + " may not use " + service_name);
  }
  const auto found = match(service, request);
  if (!found) {
    throw unknown_operation(
        service.protocol,
        service_name + " has no operation " +
            (service.protocol == Protocol::rest_json
                 ? request.method + " " + request.path
                 : std::string(
                       request.headers.find("X-Amz-Target").value_or("(no X-Amz-Target)"))) +
            " here");
  }
  const base::json::object input = read_input(*found, request);
  const base::json::value output =
      found->operation->handler({.caller = identity.caller, .input = input});
  return json_response(service.protocol, found->operation->success_status,
                       output.is_null() ? std::string() : base::to_text(output));
}

std::vector<Router::PathSegment> Router::parse_template(std::string_view path) {
  std::vector<PathSegment> segments;
  for (const std::string_view piece : split(path.substr(1), '/')) {
    if (!piece.starts_with('{')) {
      segments.push_back({PathSegment::Kind::literal, std::string(piece)});
    } else if (piece.ends_with("+}")) {
      segments.push_back(
          {PathSegment::Kind::greedy, std::string(piece.substr(1, piece.size() - 3))});
    } else {
      segments.push_back(
          {PathSegment::Kind::parameter, std::string(piece.substr(1, piece.size() - 2))});
    }
  }
  return segments;
}

std::optional<Router::Match> Router::match(const Service& service,
                                           const HttpRequest& request) const {
  if (service.protocol == Protocol::aws_json_1_1) {
    const auto target = request.headers.find("X-Amz-Target");
    if (!target || request.method != "POST") return std::nullopt;
    const std::string operation(target->substr(target->find_last_of('.') + 1));
    const auto found = service.targets.find(operation);
    if (found == service.targets.end()) return std::nullopt;
    return Match{found->second, {}};
  }
  std::string_view path = request.path;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto pieces = split(path.substr(1), '/');
  for (const Route& route : service.routes) {
    if (route.operation->method != request.method) continue;
    auto parameters = match_path(route.segments, pieces);
    if (parameters) return Match{route.operation, *std::move(parameters)};
  }
  return std::nullopt;
}

std::optional<base::json::object> Router::match_path(const std::vector<PathSegment>& segments,
                                                     const std::vector<std::string_view>& pieces) {
  base::json::object parameters;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i >= pieces.size()) return std::nullopt;
    std::string encoded(pieces[i]);
    if (segments[i].kind == PathSegment::Kind::greedy) {
      for (std::size_t rest = i + 1; rest < pieces.size(); ++rest) {
        encoded.append("/").append(pieces[rest]);
      }
    }
    const auto text = base::percent_decode(encoded);
    if (!text || text->empty()) return std::nullopt;
    if (segments[i].kind == PathSegment::Kind::literal) {
      if (*text != segments[i].text) return std::nullopt;
    } else {
      parameters[segments[i].text] = *text;
    }
    if (segments[i].kind == PathSegment::Kind::greedy) return parameters;
  }
  if (pieces.size() != segments.size()) return std::nullopt;
  return parameters;
}

base::json::object Router::read_input(const Match& match, const HttpRequest& request) const {
  base::json::object input;
  const std::string body = request.body.read(options_.max_body_bytes);
  if (!body.empty()) {
    try {
      base::json::value parsed =
          base::parse_json(body, "request body", {.max_bytes = options_.max_body_bytes});
      if (!parsed.is_object()) {
        throw Error(ErrorCode::invalid_argument, "the request body is not a JSON object");
      }
      input = std::move(parsed.as_object());
    } catch (const Error& error) {
      throw ServiceError(400, "SerializationException", error.message());
    }
  }
  if (match.operation->protocol == Protocol::rest_json) add_query(input, request);
  for (const auto& [name, value] : match.path_parameters) input[name] = value;
  return input;
}

HttpResponse Router::refuse_unsigned(const HttpRequest& request) const {
  const auto refuse = [&](Protocol protocol) {
    try {
      (void)authenticator_.authenticate(request);
    } catch (const AuthenticationError& error) {
      return error_response(protocol, translate(error));
    }
    return error_response(protocol,
                          ServiceError(403, "IncompleteSignatureException",
                                       "the credential scope of the signature cannot be read"));
  };
  if (request.headers.find("X-Amz-Target")) return refuse(Protocol::aws_json_1_1);
  for (const auto& [name, service] : services_) {
    if (service.protocol == Protocol::rest_json && match(service, request)) {
      return refuse(Protocol::rest_json);
    }
  }
  return s3_.handle(request);
}

}  // namespace andon::api
