// SPDX-License-Identifier: Apache-2.0
// The tables of the registry that came after the first ones (shared/schema.cpp): thing types, who
// is connected, what makes a group dynamic.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_devices(store::Database& database);

}  // namespace andon::control
