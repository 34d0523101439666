// SPDX-License-Identifier: Apache-2.0
// How each AWS service words what base::Error and a refused signature say: code and HTTP status.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/authenticator.hpp"
#include "api/operation.hpp"
#include "base/error.hpp"

namespace andon::api {

// For a service that is not known, the names of Greengrass are taken.
[[nodiscard]] ServiceError translate(std::string_view service, const base::Error& error);
[[nodiscard]] ServiceError translate(const AuthenticationError& error);

}  // namespace andon::api
