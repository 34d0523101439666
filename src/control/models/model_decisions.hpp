// SPDX-License-Identifier: Apache-2.0
// Who has approved or rejected a version of a model, when and why: kept with the version, for who
// may see it and may not read the audit log, and for when that has forgotten. The newest
// kMostDecisions of a version; they go with it. Within a transaction of the registry's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/models/model_registry.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

inline constexpr std::int64_t kMostDecisions = 50;

// The registry's schema must be there.
void migrate_model_decisions(store::Database& database);
void add_decision(store::Transaction& tx, const ModelPackageId& id, const ModelDecision& decision);
// Newest first.
[[nodiscard]] std::vector<ModelDecision> decisions_of(store::Transaction& tx,
                                                      const ModelPackageId& id);

}  // namespace andon::control
