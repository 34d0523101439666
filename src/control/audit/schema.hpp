// SPDX-License-Identifier: Apache-2.0
// The tables of the audit log, in a database of their own: it is written at each call.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_audit_schema(store::Database& database);

}  // namespace andon::control
