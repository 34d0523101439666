// SPDX-License-Identifier: Apache-2.0
// The tables of results, in a database of their own: a line's stream of them must not hold up the
// rest.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_result_schema(store::Database& database);

}  // namespace andon::control
