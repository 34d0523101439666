// SPDX-License-Identifier: Apache-2.0
// What executions came to, for the event bus: written in the commit that made it so, read in order,
// and forgotten once it is on the bus. Any thread.
#pragma once

#include <string>
#include <vector>

#include "store/sql/database.hpp"
#include "workflow/executions/types.hpp"

namespace andon::workflow {

struct StatusChange {
  std::int64_t position = 0;
  std::string status;  // RUNNING, SUCCEEDED ...
  base::Timestamp at;
  std::optional<Execution> execution;  // nothing: it is forgotten already
};

// What follows `after`, the oldest first.
[[nodiscard]] std::vector<StatusChange> status_changes(const store::Database& database,
                                                       std::int64_t after, std::size_t limit);
void forget_status_changes(store::Database& database, std::int64_t up_to);

}  // namespace andon::workflow
