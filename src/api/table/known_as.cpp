// SPDX-License-Identifier: Apache-2.0
#include "api/table/known_as.hpp"

namespace andon::api {

std::string known_as(const Authorizer* authorizer, const Caller& caller) {
  const auto known = authorizer == nullptr ? std::nullopt : authorizer->principal(caller);
  return known ? known->arn : caller.principal;
}

}  // namespace andon::api
