// SPDX-License-Identifier: Apache-2.0
// The tables of the index.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_index(store::Database& database);

}  // namespace andon::control
