// SPDX-License-Identifier: Apache-2.0
// The tables of passwords.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_passwords(store::Database& database);

}  // namespace andon::control
