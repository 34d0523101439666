// SPDX-License-Identifier: Apache-2.0
// Query executions as they are kept: at most kMostQueries, for kQueriesKept. Each call is one
// transaction; any thread. Errors are base::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "features/queries/types.hpp"
#include "store/sql/database.hpp"

namespace andon::features {

class Executions {
 public:
  Executions(store::Database& database, const base::Clock& clock)
      : database_(database), clock_(clock) {}

  // Queued, with a new id. The same `token` gives the execution that it gave before;
  // invalid_argument where that asked for something else. resource_exhausted where too many are
  // open.
  QueryExecution add(QueryExecution execution, const std::optional<std::string>& token);
  [[nodiscard]] std::optional<QueryExecution> find(const std::string& id) const;
  // The newest first, those before `before` (0: all).
  [[nodiscard]] std::vector<QueryExecution> list(std::int64_t before, std::size_t limit) const;
  // The oldest that is queued; it is running now.
  [[nodiscard]] std::optional<QueryExecution> take_next();
  // What an earlier program left running is queued again.
  void requeue();
  // Its state, reason, category, columns, etag and bytes; nothing where it is over already. Whether
  // it was not.
  bool finish(const QueryExecution& execution);
  std::int64_t sweep(std::int64_t limit);

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::features
