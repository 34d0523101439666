// SPDX-License-Identifier: Apache-2.0
// Who calls, as what they did is kept for people: the name outlives the user. Any thread.
#pragma once

#include <string>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"

namespace andon::api {

// A user's or a role's name; "operator" for the account. Without an authorizer (tests), and of whom
// it does not know, what stands behind the first '/' of the principal.
[[nodiscard]] std::string name_of(const Authorizer* authorizer, const Caller& caller);

}  // namespace andon::api
