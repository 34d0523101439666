// SPDX-License-Identifier: Apache-2.0
// The fleet at a glance: what each device is and lacks, and how far each device of a deployment is.
// Both bounded: what AWS has for that is a call for each device. Operations of andon's own.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "base/time/time.hpp"
#include "fleet/names/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::api {

// Database and clock outlive the rows.
[[nodiscard]] std::vector<Operation> fleet_operations(store::Database& database,
                                                      const base::Clock& clock,
                                                      const fleet::Arns& arns);

}  // namespace andon::api
