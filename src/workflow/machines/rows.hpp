// SPDX-License-Identifier: Apache-2.0
// How machines are read from the database; internal to this room.
#pragma once

#include "store/sql/database.hpp"
#include "workflow/machines/types.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {

// Columns of `machine_row`, of machines m joined with machine_revisions r.
inline constexpr std::string_view kMachineColumns =
    "m.arn, m.name, m.type, m.status, m.created_ms, r.id, r.revision_id, r.definition, r.role, "
    "r.logging, r.tracing, r.encryption, r.created_ms";
[[nodiscard]] Machine machine_row(const store::Row& row);

[[nodiscard]] Refusal no_such_machine(const std::string& arn);
[[nodiscard]] Refusal machine_is_deleting(const std::string& arn);

}  // namespace andon::workflow
