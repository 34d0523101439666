// SPDX-License-Identifier: Apache-2.0
// The tables of jobs.
#pragma once

#include "store/sql/database.hpp"

namespace andon::control {

void migrate_jobs(store::Database& database);

}  // namespace andon::control
