// SPDX-License-Identifier: Apache-2.0
// The tables of logs, in a database of their own: what is logged must not hold up the rest.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_log_schema(store::Database& database);

}  // namespace andon::control
