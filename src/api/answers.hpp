// SPDX-License-Identifier: Apache-2.0
// How the router answers: outputs and errors in the protocol of who asks, also where this server
// does not have what is asked for. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/form/form_answer.hpp"
#include "api/table/operation.hpp"
#include "base/json/fwd.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// Whose protocol an error is written in.
struct Asked {
  Protocol protocol;
  std::string_view service;
  const std::string& request_id;
  FormFormat::Language language = FormFormat::Language::xml;
  bool is_cbor = false;     // smithy's rpc-v2-cbor, which no service here speaks
  bool is_console = false;  // JSON, whatever the protocol is (signin/answer.hpp)
};
// Of a service that this server does not have: so that its client can show the answer.
[[nodiscard]] Asked asked_of_unknown(const wire::HttpRequest& request, std::string_view service,
                                     const std::string& request_id);

[[nodiscard]] wire::HttpResponse error_response(const Asked& asked, const ServiceError& error);
[[nodiscard]] wire::HttpResponse success_response(const Operation& operation,
                                                  const base::json::value& output,
                                                  const Asked& asked);

// Whether its client reads CBOR.
[[nodiscard]] bool is_cbor(const wire::HttpRequest& request);
[[nodiscard]] bool is_form(const wire::HttpRequest& request);
[[nodiscard]] ServiceError unknown_operation(Protocol protocol, const std::string& what);
[[nodiscard]] ServiceError unknown_service(const std::string& name,
                                           const wire::HttpRequest& request);

}  // namespace andon::api
