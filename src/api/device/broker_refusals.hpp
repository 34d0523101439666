// SPDX-License-Identifier: Apache-2.0
// What the broker says that it has refused (broker/access/refusal_report.hpp), as events of the
// audit log. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "control/audit/types.hpp"

namespace andon::api {

// At most a hundred; none where the message cannot be read.
[[nodiscard]] std::vector<control::AuditEvent> read_broker_refusals(std::string_view message,
                                                                    base::Timestamp now);

}  // namespace andon::api
