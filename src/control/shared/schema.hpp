// SPDX-License-Identifier: Apache-2.0
// The tables of the control plane for components, fleet and deployments.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_schema(store::Database& database);

}  // namespace andon::control
