// SPDX-License-Identifier: Apache-2.0
// Refusals of the server's own parts, told by the name that AWS has for them.
#pragma once

#include <string>

#include "api/table/operation.hpp"
#include "control/parameters/named_refusal.hpp"

namespace andon::api {

// What `work()` gives; its NamedRefusal becomes a ServiceError.
template <typename Work>
decltype(auto) told_by_name(const Work& work) {
  try {
    return work();
  } catch (const control::NamedRefusal& refusal) {
    throw ServiceError(400, std::string(refusal.name()), refusal.message());
  }
}

}  // namespace andon::api
