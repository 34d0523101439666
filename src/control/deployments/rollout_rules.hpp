// SPDX-License-Identifier: Apache-2.0
// What the rules of a rollout (fleet/rollout) are given: a deployment's iotJobConfiguration as it
// is stored, and how many of its executions are in which state. Within the caller's transaction.
#pragma once

#include <string>

#include "fleet/rollout/job_configuration.hpp"
#include "fleet/rollout/rollout_rules.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// Of the column job_configuration; throws data_corrupted for what is none.
[[nodiscard]] fleet::JobConfiguration stored_job_configuration(const std::string& text);
[[nodiscard]] fleet::JobCounts count_executions(store::Transaction& tx, const std::string& job_id);

}  // namespace andon::control
