// SPDX-License-Identifier: Apache-2.0
// andon's own ListModelStates: each model with its newest version and its aliases, so that who
// looks at many asks once and not once for each. Rows for the operation table; what they are given
// must outlive them.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "control/models/model_aliases.hpp"
#include "control/models/model_registry.hpp"

namespace andon::api {

[[nodiscard]] std::vector<Operation> model_state_operations(const control::ModelRegistry& registry,
                                                            const control::ModelAliases& aliases);

}  // namespace andon::api
