// SPDX-License-Identifier: Apache-2.0
// Room: logs. CloudWatch Logs (model 2014-03-28) as rows of the operation table, as far as programs
// need it that write logs and read them: groups, streams, events, retention, tags. Over
// control::Logs.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "control/logs/logs.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

// `logs` outlives the rows.
[[nodiscard]] std::vector<Operation> logs_operations(control::Logs& logs, const fleet::Arns& arns);

}  // namespace andon::api
