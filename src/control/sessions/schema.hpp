// SPDX-License-Identifier: Apache-2.0
// The tables of sessions.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_sessions(store::Database& database);

}  // namespace andon::control
