// SPDX-License-Identifier: Apache-2.0
// How secrets lie in the database; internal to this room.
#pragma once

#include <string_view>

#include "control/parameters/types.hpp"
#include "control/shared/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

inline constexpr std::string_view kSecretColumns =
    "id, name, suffix, description, created_ms, changed_ms, accessed_ms, deleted_ms";
// Without tags and stages.
[[nodiscard]] Secret secret_row(const Arns& arns, const store::Row& row);

}  // namespace andon::control
