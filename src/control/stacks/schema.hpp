// SPDX-License-Identifier: Apache-2.0
// The tables of stacks.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_stacks(store::Database& database);

}  // namespace andon::control
