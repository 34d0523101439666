// SPDX-License-Identifier: Apache-2.0
// How each AWS service words what base::Error and a refused signature say: code and HTTP status.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/table/authenticator.hpp"
#include "api/table/operation.hpp"
#include "base/error/error.hpp"

namespace andon::api {

// For a service that is not known, the names of Greengrass are taken.
[[nodiscard]] ServiceError translate(std::string_view service, const base::Error& error);
[[nodiscard]] ServiceError translate(const AuthenticationError& error);
// The same in the words of IAM and STS.
[[nodiscard]] ServiceError translate_for_query(const AuthenticationError& error);
// For a caller who is known and may not: `sentence` says what (authorizer.hpp).
[[nodiscard]] ServiceError access_denied(Protocol protocol, const std::string& sentence);

}  // namespace andon::api
