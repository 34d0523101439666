// SPDX-License-Identifier: Apache-2.0
// The tables of the workflow engine.
#pragma once

#include "store/sql/database.hpp"

namespace andon::workflow {

void migrate_schema(store::Database& database);

}  // namespace andon::workflow
