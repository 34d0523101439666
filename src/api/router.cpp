// SPDX-License-Identifier: Apache-2.0
#include "api/router.hpp"

#include <algorithm>
#include <array>

#include "api/answers.hpp"
#include "api/form/form_answer.hpp"
#include "api/form/form_input.hpp"
#include "api/other_services.hpp"
#include "api/outcomes.hpp"
#include "api/request_input.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/metrics/metrics_page.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "wire/http/http_later.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;
using wire::HttpResponse;

constexpr std::string_view kHooks = "/hooks/";
constexpr std::size_t kPiecesOfCredential = 5;  // key/date/region/service/aws4_request

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
  const auto pieces = base::split(credential, '/');
  if (pieces.size() < kPiecesOfCredential) return std::nullopt;
  return std::string(pieces[pieces.size() - 2]);
}

HttpResponse plain_response(int status, std::string text) {
  HttpResponse response{.status = status};
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

// Of a form that nobody signed: a token of an identity provider, with what it is to be.
constexpr std::size_t kUnsignedBytes = 64U << 10U;
bool may_be_unsigned(const HttpRequest& request) {
  return request.path == "/" && request.method == "POST" && is_form(request) &&
         !request.headers.find("Authorization") && !request.headers.find("X-Amz-Target") &&
         request.query.empty();
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
        services_
            .try_emplace(std::string(operation.service), Service{operation.protocol, 0, {}, {}})
            .first->second;
    service.max_body_bytes =
        std::max({service.max_body_bytes, options_.max_body_bytes, operation.max_body_bytes});
    const bool is_new = service.targets.emplace(operation.name, &operation).second;
    if (!is_new || service.protocol != operation.protocol) {
      throw Error(ErrorCode::internal, "operation " + std::string(operation.name) + " of " +
                                           std::string(operation.service) +
                                           " is there twice or of another protocol");
    }
    if (operation.protocol == Protocol::rest_json) {
      const std::size_t question = operation.path.find('?');
      service.routes.push_back(
          {parse_template(operation.path.substr(0, question)),
           std::string(question == std::string_view::npos ? std::string_view()
                                                          : operation.path.substr(question + 1)),
           &operation});
    }
  }
  for (auto& [name, service] : services_) {
    // A literal is tried before a parameter in its place, and what asks for a query first.
    std::ranges::stable_sort(service.routes, std::greater{},
                             [](const Route& route) { return !route.query.empty(); });
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
  // Unsigned, so that a bucket may have that name.
  if (request.target == "/metrics" && !request.headers.find("Authorization") && options_.metrics) {
    HttpResponse response = plain_response(200, options_.metrics());
    response.headers.set("Content-Type", std::string(base::MetricsPage::kType));
    return response;
  }
  if (request.target == fleet::kCaPath && !request.headers.find("Authorization") &&
      !options_.ca_pem.empty()) {
    return plain_response(200, options_.ca_pem);
  }
  if (options_.console != nullptr && options_.console->wants_page(request)) {
    return Console::to_console();
  }
  const auto name = asked_service(request);
  if (!name && options_.push && request.path.starts_with(kHooks)) return options_.push(request);
  if (name == "s3") return s3_.handle(request);
  const std::string request_id = base::random_uuid();
  if (options_.sign_in != nullptr && is_for_console(request)) {
    HttpResponse response = answer_console(request, request_id);
    guard_page(response);
    response.headers.set("x-amzn-requestid", request_id);
    return response;
  }
  CallAudit audit(options_.audit, control::audit_via::kApi, request_id, request);
  HttpResponse response = [&] {
    if (!name) {
      if (auto answer = answer_unsigned(request, request_id, audit)) return *std::move(answer);
      auto refusal = refuse_unsigned(request, request_id, audit);
      return refusal ? *std::move(refusal) : s3_.handle(request);  // which records it
    }
    audit.set_operation(*name, {}, control::AuditAccess::read);
    const auto service = services_.find(*name);
    if (service == services_.end()) {
      const Asked asked = asked_of_unknown(request, *name, request_id);
      return recorded(refuse(unknown_service(*name, request), asked, audit), asked, audit);
    }
    const Asked asked{service->second.protocol, *name, request_id, form_language(request),
                      is_cbor(request)};
    HttpResponse answer;
    try {
      answer = call(*name, service->second, request, request_id, audit);
    } catch (...) {
      answer = refuse(translate_failure(std::current_exception(), *name, request_id), asked, audit);
    }
    return answer.later ? std::move(answer) : recorded(std::move(answer), asked, audit);
  }();
  response.headers.set("x-amzn-requestid", request_id);
  base::log_debug("request", {{"method", request.method},
                              {"path", request.path},
                              {"service", name.value_or("")},
                              {"status", response.status},
                              {"request", request_id}});
  return response;
}

std::optional<std::string> Router::asked_service(const HttpRequest& request) const {
  auto name = claimed_service(request);
  if (!name) return name;
  // One that signs with another's name.
  if (auto other = service_of_same_name(*name, request); other && services_.contains(*other)) {
    return other;
  }
  return name;
}

bool Router::asks_for(const HttpRequest& request, std::string_view service,
                      std::string_view operation) {
  const auto target = request.headers.find("X-Amz-Target");
  return target && *target == std::string(service) + '.' + std::string(operation) &&
         request.method == "POST" && request.path == "/" && claimed_service(request) == service;
}

const Operation* Router::find(std::string_view service, std::string_view name) const {
  const auto found = services_.find(service);
  if (found == services_.end()) return nullptr;
  const auto target = found->second.targets.find(name);
  return target == found->second.targets.end() ? nullptr : target->second;
}

wire::HttpAdmission Router::admit(const HttpRequest& head) const {
  const auto name = asked_service(head);
  if (!name && options_.push && head.path.starts_with(kHooks)) {
    return {std::nullopt, options_.max_push_bytes};
  }
  if (name == "s3") return s3_.admit(head);
  if (options_.sign_in != nullptr && is_for_console(head)) return admit_console(head);
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, control::audit_via::kApi, request_id, head);
  const auto turn_away = [&](HttpResponse response) {
    response.headers.set("x-amzn-requestid", request_id);
    return wire::HttpAdmission{std::move(response), 0};
  };
  if (!name) {
    if (may_be_unsigned(head)) return {std::nullopt, kUnsignedBytes};
    auto refusal = refuse_unsigned(head, request_id, audit);
    if (!refusal) return s3_.admit(head);
    return turn_away(*std::move(refusal));
  }
  audit.set_operation(*name, {}, control::AuditAccess::read);
  const auto service = services_.find(*name);
  try {
    authenticator_.authenticate_head(head);
    if (service == services_.end()) throw unknown_service(*name, head);
  } catch (...) {
    const Asked asked = service == services_.end()
                            ? asked_of_unknown(head, *name, request_id)
                            : Asked{service->second.protocol, *name, request_id};
    return turn_away(recorded(
        refuse(translate_failure(std::current_exception(), *name, request_id), asked, audit), asked,
        audit));
  }
  const std::uint64_t most =
      service == services_.end() ? options_.max_body_bytes : service->second.max_body_bytes;
  return {std::nullopt,
          has_secrets(*name) ? std::min<std::uint64_t>(most, kSecretBodyBytes) : most};
}

HttpResponse Router::call(const std::string& service_name, const Service& service,
                          const HttpRequest& request, const std::string& request_id,
                          CallAudit& audit) const {
  const auto check_size = [&request](std::uint64_t most) {
    if (request.body.size() <= most) return;
    throw ServiceError(413, "RequestEntityTooLargeException",
                       "the request has " + std::to_string(request.body.size()) +
                           " bytes; at most " + std::to_string(most) + " are allowed");
  };
  check_size(service.max_body_bytes);
  const Identity identity = authenticator_.authenticate(request);
  audit.set_caller(identity.caller, options_.authorizer);
  check_payload(identity, request.body);
  const auto found = match(service, request);
  if (!found) {
    if (const auto other = service_of_same_name(service_name, request)) {
      throw unknown_service(*other, request);
    }
    throw unknown_operation(
        service.protocol,
        service_name + " has no operation " +
            (!has_target(service.protocol)
                 ? request.method + " " + request.path
                 : std::string(request.headers.find("X-Amz-Target")
                                   .value_or(request.method + " " + request.path))) +
            " here");
  }
  check_size(body_limit(*found->operation));
  audit.set_operation(service_name, found->operation->name,
                      access_of(found->operation->service, found->operation->name));
  base::json::object input = read_input(*found, request);
  add_headers(input, *found->operation, request, identity.claim.signed_headers);
  const Asked asked{service.protocol, service_name, request_id, form_language(request)};
  return perform({service_name, *found->operation, identity.caller, input, asked}, request, audit);
}

HttpResponse Router::perform(const Call& call, const HttpRequest& request, CallAudit& audit) const {
  const auto& [service, operation, caller, input, asked] = call;
  if (options_.audit != nullptr && options_.authorizer != nullptr) {
    audit.set_resources(options_.authorizer->resources(caller, operation, input));
  }
  audit.set_input(input);
  if (const auto sentence = refusal_of(call)) throw access_denied(asked.protocol, *sentence);
  check_headers(operation, request);
  options_.check_members(service, operation.name, input);
  audit.begin();
  if (operation.later) return call_later(call, audit);
  const base::json::value output = operation.handler({.caller = caller, .input = input});
  audit.succeeded(input, output);
  note_change(operation);
  return success_response(operation, output, asked);
}

std::optional<std::string> Router::refusal_of(const Call& call) const {
  if (is_device(call.caller)) return device_refusal(call);
  return refusal(options_.authorizer, call.caller, call.operation, call.input);
}

HttpResponse Router::call_later(const Call& call, CallAudit& audit) {
  const auto later = std::make_shared<wire::LaterResponse>();
  const auto call_audit = std::make_shared<CallAudit>(std::move(audit));
  // What is left when the call is over.
  struct Kept {
    const Operation& operation;
    std::string service;
    std::string request_id;
    bool is_console;
    [[nodiscard]] Asked asked() const {
      return {.protocol = operation.protocol,
              .service = service,
              .request_id = request_id,
              .is_console = is_console};
    }
  };
  const auto kept = std::make_shared<const Kept>(
      Kept{call.operation, call.service, call.asked.request_id, call.asked.is_console});
  const Answer answer([later, call_audit, kept](const base::json::value& output,
                                                const std::exception_ptr& failure) {
    const auto response = std::make_shared<HttpResponse>();
    if (failure) {
      *response = refuse(translate_failure(failure, kept->service, kept->request_id), kept->asked(),
                         *call_audit);
    } else {
      call_audit->succeeded();
      *response = success_response(kept->operation, output, kept->asked());
    }
    call_audit->record_then([later, response, kept](const std::exception_ptr& unrecorded) {
      if (unrecorded) {
        *response = error_response(kept->asked(),
                                   translate_failure(unrecorded, kept->service, kept->request_id));
      }
      response->headers.set("x-amzn-requestid", kept->request_id);
      later->answer(std::move(*response));
    });
  });
  answer.set_when_gone([later](std::function<void()> work) { later->when_gone(std::move(work)); });
  try {
    call.operation.later({.caller = call.caller, .input = call.input}, answer);
  } catch (...) {
    answer.fail(std::current_exception());
  }
  HttpResponse response;
  response.later = later;
  return response;
}

std::vector<Router::PathSegment> Router::parse_template(std::string_view path) {
  std::vector<PathSegment> segments;
  for (const std::string_view piece : base::split(path.substr(1), '/')) {
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
  if (service.protocol == Protocol::query) return match_form(service, request);
  if (has_target(service.protocol)) {
    const auto target = request.headers.find("X-Amz-Target");
    if (!target || request.method != "POST") return std::nullopt;
    const std::string operation(target->substr(target->find_last_of('.') + 1));
    const auto found = service.targets.find(operation);
    if (found == service.targets.end()) return std::nullopt;
    return Match{found->second, {}};
  }
  std::string_view path = request.path;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto pieces = base::split(path.substr(1), '/');
  for (const Route& route : service.routes) {
    if (route.operation->method != request.method) continue;
    if (const std::size_t equals = route.query.find('=');
        !route.query.empty() &&
        request.query_value(route.query.substr(0, equals)) != route.query.substr(equals + 1)) {
      continue;
    }
    auto parameters = match_path(route.segments, pieces);
    if (parameters) return Match{route.operation, *std::move(parameters)};
  }
  return std::nullopt;
}

std::optional<Router::Match> Router::match_form(const Service& service,
                                                const HttpRequest& request) const {
  // By a GET, as presigned URLs of sts:GetCallerIdentity come.
  const std::size_t question = request.target.find('?');
  const std::string text = request.method == "GET" && question != std::string::npos
                               ? request.target.substr(question + 1)
                               : request.body.read(options_.max_body_bytes);
  FormInput form;
  try {
    form = read_form(text);
  } catch (const Error& error) {
    throw ServiceError(400, "MalformedInput", error.message());
  }
  const auto found = service.targets.find(form.action);
  if (found == service.targets.end()) {
    throw unknown_operation(Protocol::query, "Could not find operation " +
                                                 form.action.substr(0, 100) + " for version " +
                                                 form.version.substr(0, 100));
  }
  return Match{found->second, std::move(form.members)};
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

std::uint64_t Router::body_limit(const Operation& operation) const {
  return operation.max_body_bytes == 0 ? options_.max_body_bytes : operation.max_body_bytes;
}

base::json::object Router::read_input(const Match& match, const HttpRequest& request) const {
  if (match.operation->protocol == Protocol::query) return match.path_parameters;
  base::json::object input;
  const std::uint64_t most = body_limit(*match.operation);
  const std::string body = request.body.read(most);
  if (!match.operation->blob.input.empty()) {
    input[match.operation->blob.input] = body;
  } else {
    input = read_json_object(body, most);
  }
  if (match.operation->protocol == Protocol::rest_json) {
    add_query(input, request);
    // What has chosen the operation is no member of it.
    const std::string_view path = match.operation->path;
    if (const std::size_t question = path.find('?'); question != std::string_view::npos) {
      input.erase(path.substr(question + 1, path.find('=') - question - 1));
    }
  }
  for (const auto& [name, value] : match.path_parameters) input[name] = value;
  return input;
}

std::optional<HttpResponse> Router::answer_unsigned(const HttpRequest& request,
                                                    const std::string& request_id,
                                                    CallAudit& audit) const {
  if (!may_be_unsigned(request) || request.body.size() > kUnsignedBytes) return std::nullopt;
  for (const auto& [name, service] : services_) {
    if (service.protocol != Protocol::query) continue;
    const Asked asked{service.protocol, name, request_id, form_language(request)};
    HttpResponse answer;
    try {
      std::optional<Match> found;
      try {
        found = match_form(service, request);
      } catch (const ServiceError&) {
        continue;  // no operation of this service, or no form: refused as unsigned
      }
      if (!found || !found->operation->is_unsigned) continue;
      const Operation& operation = *found->operation;
      const Caller nobody = caller_of_nobody(request);
      audit.set_operation(name, operation.name, access_of(operation.service, operation.name));
      audit.set_caller(nobody, options_.authorizer);
      check_headers(operation, request);
      const auto& input = found->path_parameters;
      options_.check_members(name, operation.name, input);
      audit.begin();
      const base::json::value output = operation.handler({.caller = nobody, .input = input});
      audit.succeeded(input, output);
      answer = success_response(operation, output, asked);
    } catch (...) {
      answer = refuse(translate_failure(std::current_exception(), name, request_id), asked, audit);
    }
    return recorded(std::move(answer), asked, audit);
  }
  return std::nullopt;
}

std::optional<HttpResponse> Router::refuse_unsigned(const HttpRequest& request,
                                                    const std::string& request_id,
                                                    CallAudit& audit) const {
  const auto turn_away = [&](Protocol protocol) {
    const bool is_query = protocol == Protocol::query;
    const ServiceError error = [&] {
      try {
        (void)authenticator_.authenticate(request);
      } catch (const AuthenticationError& problem) {
        return is_query ? translate_for_query(problem) : translate(problem);
      }
      return ServiceError(403, is_query ? "IncompleteSignature" : "IncompleteSignatureException",
                          "the credential scope of the signature cannot be read");
    }();
    const Asked asked{protocol, "sts", request_id};
    return recorded(refuse(error, asked, audit), asked, audit);
  };
  if (request.headers.find("X-Amz-Target")) return turn_away(Protocol::aws_json_1_1);
  if (request.path == "/" && request.method == "POST" && is_form(request)) {
    return turn_away(Protocol::query);
  }
  for (const auto& [name, service] : services_) {
    if (service.protocol == Protocol::rest_json && match(service, request)) {
      return turn_away(Protocol::rest_json);
    }
  }
  return std::nullopt;
}

}  // namespace andon::api
