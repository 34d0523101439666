// SPDX-License-Identifier: Apache-2.0
// The tables of IoT policies, of what they are attached to, and of consumers. Times are
// milliseconds since 1970. The control plane's tables must be there.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_iot_policies(store::Database& database);

}  // namespace andon::control
