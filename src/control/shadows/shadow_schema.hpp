// SPDX-License-Identifier: Apache-2.0
// The tables of this room.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_shadows(store::Database& database);

}  // namespace andon::control
