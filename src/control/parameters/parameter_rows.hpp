// SPDX-License-Identifier: Apache-2.0
// How versions of parameters lie in the database; internal to this room. Within the caller's
// transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/parameters/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// Of parameters p and parameter_versions v; parameter_row() reads them. Without the value.
inline constexpr std::string_view kParameterColumns =
    "p.key, p.name, v.version, v.type, v.tier, v.description, v.allowed_pattern, v.modified_ms, "
    "v.modified_by";
inline constexpr std::size_t kParameterColumnCount = 9;
[[nodiscard]] Parameter parameter_row(const store::Row& row);

[[nodiscard]] std::vector<std::string> labels_of(store::Transaction& tx, std::int64_t parameter,
                                                 std::int64_t version);

}  // namespace andon::control
