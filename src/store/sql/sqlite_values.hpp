// SPDX-License-Identifier: Apache-2.0
// A column of a statement's row as a value; part of this room's inside.
#pragma once

#include <sqlite3.h>

#include "store/sql/database.hpp"

namespace andon::store {

[[nodiscard]] SqlValue column_value(sqlite3_stmt* statement, int column);

}  // namespace andon::store
