// SPDX-License-Identifier: Apache-2.0
// The conditions on a read of an object (RFC 9110 section 13): by entity tag and by date. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "wire/http.hpp"

namespace andon::api {

enum class ReadCondition { met, not_modified, failed };
// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, in the order of the RFC.
[[nodiscard]] ReadCondition check_conditions(const wire::Headers& headers, const std::string& etag,
                                             base::Timestamp last_modified);

[[nodiscard]] std::optional<base::Timestamp> parse_http_date(std::string_view text);

}  // namespace andon::api
