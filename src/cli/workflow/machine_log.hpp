// SPDX-License-Identifier: Apache-2.0
// The log group that a state machine writes to: what stands in it, for people or as it is, and more
// as it comes.
#pragma once

#include <string>

#include "base/json/json.hpp"
#include "cli/workflow/session.hpp"

namespace andon::cli {

struct MachineLogOptions {
  std::string machine;  // name or ARN
  bool follow = false;  // until the program is ended
  bool as_json = false;
  int since_minutes = 0;  // 0: all that is kept
};
// Throws failed_precondition for a machine that writes none.
int print_machine_log(Session& session, const MachineLogOptions& options);

// "run-7  2026-11-29T03:07:24.368Z     7  TaskFailed  Make  Iot.ResourceNotFoundException: ...";
// a line of another form is shown as it is, made safe for a terminal.
[[nodiscard]] std::string log_text(const std::string& message);

// loggingConfiguration with one group.
[[nodiscard]] base::json::object logging_to(const std::string& group_arn, const std::string& level,
                                            bool with_data);

}  // namespace andon::cli
