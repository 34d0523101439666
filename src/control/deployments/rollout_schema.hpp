// SPDX-License-Identifier: Apache-2.0
// What rollouts keep beside the control plane's own tables, which must be there: at which pace a
// deployment goes out, and why it ended.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_rollouts(store::Database& database);

}  // namespace andon::control
