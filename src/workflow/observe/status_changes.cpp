// SPDX-License-Identifier: Apache-2.0
#include "workflow/observe/status_changes.hpp"

#include "workflow/executions/executions.hpp"

namespace andon::workflow {

std::vector<StatusChange> status_changes(const store::Database& database, std::int64_t after,
                                         std::size_t limit) {
  return database.read([&](store::Transaction& tx) {
    std::vector<StatusChange> all;
    for (const store::Row& row :
         tx.query("SELECT id, status, at_ms, execution FROM status_changes WHERE id > $1 ORDER BY "
                  "id LIMIT $2",
                  {after, static_cast<std::int64_t>(limit)})) {
      all.push_back({.position = row.integer(0),
                     .status = row.text(1),
                     .at = base::from_epoch_millis(row.integer(2)),
                     .execution = Executions::find(tx, row.integer(3))});
    }
    return all;
  });
}

void forget_status_changes(store::Database& database, std::int64_t up_to) {
  database.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM status_changes WHERE id <= $1", {up_to});
  });
}

}  // namespace andon::workflow
