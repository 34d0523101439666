// SPDX-License-Identifier: Apache-2.0
// The records of an execution, as execution.hpp describes them: written and read. Internal to the
// engine's room. All throw base::Error(data_corrupted) for records that do not fit.
#pragma once

#include <memory>
#include <optional>

#include "asl/execution/execution.hpp"

namespace andon::asl {

// Nothing where there is no such branch.
[[nodiscard]] std::optional<Branch> read_branch(std::int64_t id,
                                                const std::shared_ptr<const RecordSource>& source);
[[nodiscard]] std::optional<Outcome> read_outcome(std::int64_t branch, std::int64_t index,
                                                  const RecordSource& source);
// Lets go of what can be read from `source` again.
void keep_in_records(Branch& branch, const std::shared_ptr<const RecordSource>& source);

}  // namespace andon::asl
