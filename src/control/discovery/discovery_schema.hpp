// SPDX-License-Identifier: Apache-2.0
// The tables of client devices, of how core devices can be reached, and of the account's service
// role. Times are milliseconds since 1970. The control plane's tables must be there.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_discovery(store::Database& database);

}  // namespace andon::control
