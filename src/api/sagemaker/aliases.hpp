// SPDX-License-Identifier: Apache-2.0
// andon's own operations on the aliases of models (service "andon"): AWS's registry has none. Rows
// for the operation table; what they are given must outlive them. Who moves one is noted by the ARN
// that `authorizer` knows; without it by the principal's id.
#pragma once

#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/models/model_aliases.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> model_alias_operations(control::ModelAliases& aliases,
                                                            const Authorizer* authorizer = nullptr);

}  // namespace andon::api
