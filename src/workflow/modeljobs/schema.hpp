// SPDX-License-Identifier: Apache-2.0
// The tables of this room, in the database of the workflows.
#pragma once

#include "store/sql/database.hpp"

namespace andon::workflow {

void migrate_model_job_schema(store::Database& database);

}  // namespace andon::workflow
