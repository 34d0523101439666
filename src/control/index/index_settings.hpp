// SPDX-License-Identifier: Apache-2.0
// What UpdateIndexingConfiguration has said, and what of it decides which fields may be searched.
// Within the caller's transaction.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

inline constexpr std::string_view kThingSettings = "thingIndexingConfiguration";
inline constexpr std::string_view kGroupSettings = "thingGroupIndexingConfiguration";

// As they were given; those of the start where nobody has given any.
[[nodiscard]] json::object read_index_settings(store::Transaction& tx);
// `merged`, with those of the two parts that `given` has. Throws invalid_argument, and unsupported
// for Device Defender.
[[nodiscard]] json::object merge_index_settings(json::object merged, const json::object& given);

// Throws invalid_argument for a field of a shadow ("shadow.…") that is not searched, saying what
// switches it on.
void require_searched(const json::object& settings, const std::string& field);
// The schema of AWS_Things, as DescribeIndex has it.
[[nodiscard]] std::string_view thing_schema(const json::object& settings);

}  // namespace andon::control
