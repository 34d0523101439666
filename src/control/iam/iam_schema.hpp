// SPDX-License-Identifier: Apache-2.0
// The tables of users, groups, roles and policies. Times are milliseconds since 1970.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_iam(store::Database& database);

}  // namespace andon::control
