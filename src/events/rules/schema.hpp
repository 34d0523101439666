// SPDX-License-Identifier: Apache-2.0
// The tables of buses, rules and their targets.
#pragma once

#include "store/sql/database.hpp"

namespace andon::events {

void migrate_rules(store::Database& database);

}  // namespace andon::events
