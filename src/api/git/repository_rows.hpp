// SPDX-License-Identifier: Apache-2.0
// andon's own operations of watched repositories: put, list, delete.
#pragma once

#include <functional>
#include <vector>

#include "api/git/git_places.hpp"
#include "api/table/internal_call.hpp"
#include "api/table/operation.hpp"
#include "events/repositories/repositories.hpp"

namespace andon::api {

struct RepositoryParts {
  events::Repositories& repositories;
  const InternalCalls& calls;
  GitPlaces git;
  std::function<void()> wake;
};
// All that is referred to outlives the rows.
[[nodiscard]] std::vector<Operation> repository_operations(const RepositoryParts& parts);

}  // namespace andon::api
