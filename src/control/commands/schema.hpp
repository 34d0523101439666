// SPDX-License-Identifier: Apache-2.0
// The tables of this room, in the server's database.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_commands(store::Database& database);

}  // namespace andon::control
