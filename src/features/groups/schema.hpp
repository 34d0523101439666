// SPDX-License-Identifier: Apache-2.0
// The tables of the feature store, in a database of their own: what queries read is that file and
// no other. Tables begin with fs_: what one may not name in WITH. Each offline store is a table
// offline_ID, with a column cN for the feature at position N: those are made with the group. Times
// are milliseconds since 1970.
#pragma once

#include <cstdint>
#include <string>

#include "features/groups/types.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

void migrate_features(store::Database& database);

[[nodiscard]] std::string offline_table(std::int64_t id);        // "offline_7"
[[nodiscard]] std::string offline_column(std::size_t position);  // "c0"
[[nodiscard]] std::string_view column_type(FeatureType type);    // "BIGINT"

}  // namespace andon::features
