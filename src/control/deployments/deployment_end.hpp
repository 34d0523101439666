// SPDX-License-Identifier: Apache-2.0
// How a deployment ends before its devices are done with it: the operator cancels it, or its abort
// criteria say so. Within the caller's transaction, so that a report that is one failure too many
// and the end of the deployment are stored together.
#pragma once

#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/shared/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// Of a deployment that is CURRENT: it is CANCELED, and devices that have not finished are told to
// stop, `reason` with it; those of a large group in further steps (rollouts.hpp).
void end_deployment(store::Transaction& tx, const std::string& id, std::string_view reason,
                    base::Timestamp now);

// After an execution of `id` has ended: ends the deployment where its abortConfig says so. True
// where it did.
bool abort_where_due(store::Transaction& tx, const std::string& id, base::Timestamp now);

}  // namespace andon::control
