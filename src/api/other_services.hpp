// SPDX-License-Identifier: Apache-2.0
// Which service a request is for, where it signs with the name of another one, and how clients of
// services that this server does not have read errors. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/http/http.hpp"

namespace andon::api {

// Requests of another service that signs as `service` does, by path and protocol
// ("sagemaker-runtime" for "sagemaker" and POST /endpoints/x/invocations). Nothing where it is
// `service` itself, as far as can be told.
[[nodiscard]] std::optional<std::string> service_of_same_name(std::string_view service,
                                                              const wire::HttpRequest& request);

// Whether its client reads XML though it sends no form (route53, cloudfront).
[[nodiscard]] bool is_rest_xml(const wire::HttpRequest& request);

}  // namespace andon::api
