// SPDX-License-Identifier: Apache-2.0
#include "api/table/caller_name.hpp"

namespace andon::api {

std::string name_of(const Authorizer* authorizer, const Caller& caller) {
  const auto known = authorizer == nullptr ? std::nullopt : authorizer->principal(caller);
  if (known && known->kind != control::Principal::Kind::account) return known->name;
  return caller.principal.substr(caller.principal.find('/') + 1);
}

}  // namespace andon::api
