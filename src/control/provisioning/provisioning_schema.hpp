// SPDX-License-Identifier: Apache-2.0
// The tables of provisioning.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_provisioning(store::Database& database);

}  // namespace andon::control
