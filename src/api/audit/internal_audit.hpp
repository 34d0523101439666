// SPDX-License-Identifier: Apache-2.0
// Calls that state machines, functions and schedules make (table/internal_call.hpp), in the audit
// log: a change waits for the disk before its caller has the answer, and does not begin where it
// could not be recorded.
#pragma once

#include <functional>
#include <string_view>

#include "api/table/authorizer.hpp"
#include "api/table/internal_call.hpp"
#include "control/audit/audit_log.hpp"

namespace andon::api {

// All that it is given outlives `calls`. Before the first call. `changed` hears of each change that
// was made.
using ToldOfChange = std::function<void(std::string_view service, std::string_view operation)>;
void record_internal_calls(InternalCalls& calls, control::AuditLog& log,
                           const Authorizer& authorizer, ToldOfChange changed = {});

}  // namespace andon::api
