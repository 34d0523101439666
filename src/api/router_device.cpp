// SPDX-License-Identifier: Apache-2.0
// Calls of operations by a device's certificate.
#include "api/outcomes.hpp"
#include "api/request_input.hpp"
#include "api/router.hpp"
#include "api/table/catalogue/access_rows.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

constexpr int kForbidden = 403;

}  // namespace

std::optional<std::string> Router::device_refusal(const Call& call) const {
  const AccessRow* const row = find_access_row(call.operation.service, call.operation.name);
  if (row == nullptr || row->action.empty() || !options_.devices ||
      options_.authorizer == nullptr) {
    return call.caller.principal + " may not use " + std::string(call.operation.name);
  }
  for (const std::string& resource :
       options_.authorizer->resources(call.caller, call.operation, call.input)) {
    if (auto sentence = options_.devices(call.caller, row->action, resource)) return sentence;
  }
  return std::nullopt;
}

bool Router::has_operation(std::string_view service, const HttpRequest& request) const {
  const auto found = services_.find(service);
  return found != services_.end() && match(found->second, request).has_value();
}

HttpResponse Router::handle_device(const std::string& service, const Caller& device,
                                   const HttpRequest& request) const {
  const std::string request_id = base::random_uuid();
  const Asked asked{.protocol = Protocol::rest_json, .service = service, .request_id = request_id};
  HttpResponse answer;
  std::string_view name;
  try {
    const auto found = match(services_.at(service), request);
    if (!found) {
      throw ServiceError(404, "ResourceNotFoundException", "there is nothing at " + request.path);
    }
    const Operation& operation = *found->operation;
    name = operation.name;
    base::json::object input = read_input(*found, request);
    // Nobody on the way has added one: the connection is the device's own.
    std::vector<std::string> headers;
    for (const HeaderMember& one : operation.headers) headers.emplace_back(one.header);
    add_headers(input, operation, request, headers);
    CallAudit unrecorded(nullptr, control::audit_via::kDevice, request_id, request);
    answer = perform({service, operation, device, input, asked}, request, unrecorded);
  } catch (...) {
    const ServiceError error = translate_failure(std::current_exception(), service, request_id);
    CallAudit audit(error.http_status() == kForbidden ? options_.audit : nullptr,
                    control::audit_via::kDevice, request_id, request);
    audit.set_operation(service, name, access_of(service, name));
    audit.set_caller(device, nullptr);
    audit.set_detail(request.method + " " + request.path);
    answer = recorded(refuse(error, asked, audit), asked, audit);
  }
  answer.headers.set("x-amzn-requestid", request_id);
  return answer;
}

}  // namespace andon::api
