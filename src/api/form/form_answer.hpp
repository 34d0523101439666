// SPDX-License-Identifier: Apache-2.0
// Answers and errors of the query protocol. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/table/operation.hpp"
#include "base/json/fwd.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// Answers in XML, or in JSON for who sends "Accept: application/json", as AWS's services do.
struct FormFormat {
  enum class Language : std::uint8_t { xml, json };
  std::string_view service;
  const std::string& request_id;
  Language language = Language::xml;
};
[[nodiscard]] FormFormat::Language form_language(const wire::HttpRequest& request);

// In XML, objects become elements, lists elements of <member>, null nothing.
[[nodiscard]] wire::HttpResponse form_answer(const FormFormat& format, std::string_view operation,
                                             const base::json::value& output);
[[nodiscard]] wire::HttpResponse form_error(const FormFormat& format, const ServiceError& error);

}  // namespace andon::api
