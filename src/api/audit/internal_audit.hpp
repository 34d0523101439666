// SPDX-License-Identifier: Apache-2.0
// Calls that state machines, functions and schedules make (table/internal_call.hpp), in the audit
// log: a change waits for the disk before its caller has the answer, and does not begin where it
// could not be recorded.
#pragma once

#include "api/table/authorizer.hpp"
#include "api/table/internal_call.hpp"
#include "control/audit/audit_log.hpp"

namespace andon::api {

// Both outlive `calls`. Before the first call.
void record_internal_calls(InternalCalls& calls, control::AuditLog& log,
                           const Authorizer& authorizer);

}  // namespace andon::api
