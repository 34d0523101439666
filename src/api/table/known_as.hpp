// SPDX-License-Identifier: Apache-2.0
// What is written down of who did something.
#pragma once

#include <string>

#include "api/table/authorizer.hpp"

namespace andon::api {

// The ARN, which names them also once they are gone; the principal's id where it is not known: of a
// device, and without an Authorizer (null).
[[nodiscard]] std::string known_as(const Authorizer* authorizer, const Caller& caller);

}  // namespace andon::api
