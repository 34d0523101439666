// SPDX-License-Identifier: Apache-2.0
// Where the state of an execution meets the database: the records of execution_state, read one by
// one as steps need them. Any thread.
#pragma once

#include <memory>

#include "asl/execution/execution.hpp"
#include "store/sql/database.hpp"

namespace andon::workflow {

// The records as they were committed last.
[[nodiscard]] std::shared_ptr<const asl::RecordSource> records_of(const store::Database& database,
                                                                  std::int64_t execution);

}  // namespace andon::workflow
