// SPDX-License-Identifier: Apache-2.0
// Room: audit. The audit log as it is asked for: andon's own operations, and
// cloudtrail:LookupEvents in AWS's shape. Rows of the operation table. Over control::AuditLog.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/table/operation.hpp"
#include "control/audit/audit_log.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

// Both outlive the rows.
[[nodiscard]] std::vector<Operation> audit_operations(const control::AuditLog& log,
                                                      const fleet::Arns& arns);

// A part of it: LookupEvents.
[[nodiscard]] Operation lookup_events_operation(const control::AuditLog& log,
                                                const fleet::Arns& arns);

// Where a page ends, as a client sees it, and back. Nothing for what no page has given.
[[nodiscard]] std::string to_audit_token(const control::AuditPlace& place);
[[nodiscard]] std::optional<control::AuditPlace> read_audit_token(std::string_view token);

}  // namespace andon::api
