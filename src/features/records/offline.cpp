// SPDX-License-Identifier: Apache-2.0
#include "features/records/offline.hpp"

#include "features/groups/groups.hpp"
#include "features/groups/schema.hpp"

namespace andon::features {
namespace {

using store::Row;
using store::Transaction;

// Rows of one table that `condition` is true of, the oldest first.
std::int64_t remove_rows(Transaction& tx, std::int64_t table, const std::string& condition,
                         const std::vector<store::SqlValue>& values, std::int64_t limit) {
  const std::string name = offline_table(table);
  std::vector<store::SqlValue> bound = values;
  bound.emplace_back(limit);
  const auto rows = tx.query("SELECT r, bytes FROM " + name + " WHERE " + condition +
                                 " ORDER BY r LIMIT $" + std::to_string(bound.size()),
                             bound);
  if (rows.empty()) return 0;
  std::int64_t bytes = 0;
  for (const Row& row : rows) bytes += row.integer(1);
  tx.execute("DELETE FROM " + name + " WHERE r >= $1 AND r <= $2",
             {rows.front().integer(0), rows.back().integer(0)});
  tx.execute("UPDATE fs_tables SET bytes = bytes - $2 WHERE id = $1", {table, bytes});
  add_bytes(tx, -bytes);
  return static_cast<std::int64_t>(rows.size());
}

}  // namespace

std::string athena_time(base::Timestamp time) {
  std::string text = base::to_iso8601(time);
  text.pop_back();  // Z
  text[text.find('T')] = ' ';
  return text;
}

// The very last row of a table stays: its number must not be given again.
std::int64_t remove_exported(Transaction& tx, std::int64_t limit) {
  for (const Row& row :
       tx.query("SELECT id, exported_row, last_row FROM fs_tables WHERE exported_row > 0 AND bytes "
                "> 0 ORDER BY bytes DESC")) {
    const std::int64_t removed = remove_rows(tx, row.integer(0), "r <= $1 AND r < $2",
                                             {row.integer(1), row.integer(2)}, limit);
    if (removed > 0) return removed;
  }
  return 0;
}

std::int64_t remove_written_before(Transaction& tx, base::Timestamp time, std::int64_t limit) {
  std::int64_t removed = 0;
  for (const Row& row :
       tx.query("SELECT id, exported_row, last_row FROM fs_tables WHERE exported_row > 0")) {
    removed += remove_rows(tx, row.integer(0), "r <= $1 AND r < $2 AND write_time < $3",
                           {row.integer(1), row.integer(2), athena_time(time)}, limit - removed);
    if (removed >= limit) break;
  }
  return removed;
}

std::int64_t remove_unlisted(Transaction& tx, std::int64_t limit) {
  const auto table = tx.query_one(
      "SELECT id FROM fs_tables WHERE group_id = 0 AND is_listed = 0 AND (last_row = "
      "exported_row OR export_problem <> '') LIMIT 1");
  if (!table) return 0;
  const std::int64_t id = table->integer(0);
  const std::int64_t removed = remove_rows(tx, id, "r > $1", {std::int64_t{0}}, limit);
  if (removed > 0) return removed;
  tx.execute("DROP TABLE " + offline_table(id));
  tx.execute("DELETE FROM fs_tables WHERE id = $1", {id});
  return 1;
}

}  // namespace andon::features
