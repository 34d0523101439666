// SPDX-License-Identifier: Apache-2.0
// Rows of the offline stores, as they are written and forgotten. Within the caller's transaction.
#pragma once

#include <string>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

// As Athena shows it: 2026-11-22 10:00:00.123
[[nodiscard]] std::string athena_time(base::Timestamp time);

// The oldest rows, of the table that has most, that are in the object store already. How many.
std::int64_t remove_exported(store::Transaction& tx, std::int64_t limit);
// The same of all tables, by age.
std::int64_t remove_written_before(store::Transaction& tx, base::Timestamp time,
                                   std::int64_t limit);
// Of tables that are neither in the catalog nor a group's, then the tables themselves.
std::int64_t remove_unlisted(store::Transaction& tx, std::int64_t limit);

}  // namespace andon::features
