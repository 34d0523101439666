// SPDX-License-Identifier: Apache-2.0
// Calls of operations by the cookie of a session.
#include <algorithm>

#include "api/outcomes.hpp"
#include "api/router.hpp"
#include "api/signin/answer.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

// "/console/call/iot/ListThings" -> "iot".
constexpr std::string_view kConsoleCall = "/console/call/";
std::string_view service_of_call(std::string_view path) {
  path.remove_prefix(kConsoleCall.size());
  return path.substr(0, path.find('/'));
}

}  // namespace

std::optional<HttpResponse> Router::answer_page(const HttpRequest& request,
                                                const std::string& request_id) const {
  if (options_.console == nullptr) return std::nullopt;
  try {
    return options_.console->answer(request);
  } catch (...) {
    return console_error(translate_failure(std::current_exception(), "signin", request_id));
  }
}

wire::HttpUpgrade Router::upgrade(const HttpRequest& request) const {
  if (options_.console == nullptr || !is_for_console(request)) return {};
  const std::string request_id = base::random_uuid();
  try {
    return {options_.console->open_socket(request)};
  } catch (...) {
    HttpResponse refusal =
        console_error(translate_failure(std::current_exception(), "signin", request_id));
    guard_page(refusal);
    return {nullptr, std::move(refusal)};
  }
}

void Router::note_change(const Operation& operation) const {
  if (options_.console == nullptr) return;
  options_.console->changes().note(changed_by(operation.service, operation.name));
}

HttpResponse Router::answer_console(const HttpRequest& request,
                                    const std::string& request_id) const {
  if (!request.path.starts_with(kConsoleCall)) {
    if (auto page = answer_page(request, request_id)) return *std::move(page);
    HttpResponse answer = options_.sign_in->handle(request, request_id);
    // A session has begun or ended; whoever goes to the identity provider gets a cookie, too.
    if (options_.console != nullptr && request.path != "/console/sign-on" &&
        answer.headers.find("Set-Cookie")) {
      options_.console->changes().note(ChangeKind::access);
    }
    return answer;
  }
  CallAudit audit(options_.audit, kConsoleVia, request_id, request);
  audit.set_operation("signin", "Call", control::AuditAccess::read);
  const std::string service(service_of_call(request.path));
  const Asked asked{.protocol = Protocol::rest_json,
                    .service = service,
                    .request_id = request_id,
                    .is_console = true};
  HttpResponse answer;
  try {
    answer = call_by_session(request, request_id, audit);
  } catch (...) {
    answer = refuse(translate_failure(std::current_exception(), service, request_id), asked, audit);
  }
  return answer.later ? std::move(answer) : recorded(std::move(answer), asked, audit);
}

HttpResponse Router::call_by_session(const HttpRequest& request, const std::string& request_id,
                                     CallAudit& audit) const {
  const auto [caller, session] = options_.sign_in->caller_of(request);
  audit.set_caller(caller, options_.authorizer);
  audit.set_detail("session " + session);
  const std::string service(service_of_call(request.path));
  const std::string name =
      request.path.substr(std::min(request.path.size(), kConsoleCall.size() + service.size() + 1));
  const Operation* const operation = find(service, name);
  if (request.method != "POST" || operation == nullptr) {
    throw ServiceError(404, "UnknownOperationException",
                       "there is no operation '" + name.substr(0, 100) + "' of '" +
                           service.substr(0, 100) + "': POST /console/call/<service>/<Operation>");
  }
  if (request.body.size() > body_limit(*operation)) {
    throw ServiceError(
        413, "RequestEntityTooLargeException",
        "the request has more than " + std::to_string(body_limit(*operation)) + " bytes");
  }
  audit.set_operation(operation->service, operation->name,
                      access_of(operation->service, operation->name));
  const auto input =
      read_json_object(request.body.read(body_limit(*operation)), body_limit(*operation));
  return perform({service, *operation, caller, input,
                  Asked{.protocol = Protocol::rest_json,
                        .service = operation->service,
                        .request_id = request_id,
                        .is_console = true}},
                 request, audit);
}

wire::HttpAdmission Router::admit_console(const HttpRequest& head) const {
  if (!head.path.starts_with(kConsoleCall)) return {std::nullopt, kMostSignInBytes};
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, kConsoleVia, request_id, head);
  audit.set_operation("signin", "Call", control::AuditAccess::read);
  try {
    options_.sign_in->admit(head);
  } catch (...) {
    const Asked asked{.protocol = Protocol::rest_json,
                      .service = "signin",
                      .request_id = request_id,
                      .is_console = true};
    return {recorded(refuse(translate_failure(std::current_exception(), "signin", request_id),
                            asked, audit),
                     asked, audit),
            0};
  }
  const std::string_view service = service_of_call(head.path);
  return {std::nullopt,
          has_secrets(service) ? kSecretBodyBytes : std::uint64_t{options_.max_body_bytes}};
}

}  // namespace andon::api
