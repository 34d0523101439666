// SPDX-License-Identifier: Apache-2.0
#include "control/shared/outbox.hpp"

#include <utility>

#include "control/shared/sql_text.hpp"

namespace andon::control {

void Outbox::append(store::Transaction& tx, std::string_view kind, const std::string& subject,
                    base::Timestamp now, const std::string& payload) {
  tx.execute("INSERT INTO outbox (kind, subject, payload, created_ms) VALUES ($1, $2, $3, $4)",
             {std::string(kind), subject, payload, to_stored(now)});
}

OutboxBatch Outbox::read(store::Transaction& tx, std::string_view consumer, std::size_t limit) {
  const auto cursor = tx.query_one("SELECT position FROM outbox_cursors WHERE consumer = $1",
                                   {std::string(consumer)});
  const std::int64_t position = cursor ? cursor->integer(0) : 0;
  OutboxBatch batch;
  for (const store::Row& row :
       tx.query("SELECT id, kind, subject, payload, created_ms FROM outbox WHERE id > $1 "
                "ORDER BY id LIMIT $2",
                {position, static_cast<std::int64_t>(limit)})) {
    batch.entries.push_back(
        {row.integer(0), row.text(1), row.text(2), row.text(3), stored_time(row.integer(4))});
  }
  batch.has_gap = cursor && !batch.entries.empty() && batch.entries.front().id != position + 1;
  return batch;
}

void Outbox::advance(store::Transaction& tx, std::string_view consumer, std::int64_t id) {
  tx.execute(
      "INSERT INTO outbox_cursors (consumer, position) VALUES ($1, $2) "
      "ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
      {std::string(consumer), id});
}

std::int64_t Outbox::trim(store::Transaction& tx, base::Timestamp oldest, std::int64_t limit) {
  const auto last = tx.query_one("SELECT id FROM outbox ORDER BY id DESC LIMIT 1");
  if (!last) return 0;
  const auto read = tx.query_one("SELECT COALESCE(MIN(position), 0) FROM outbox_cursors");
  return tx.execute(
      "DELETE FROM outbox WHERE id IN (SELECT id FROM "
      "(SELECT id, created_ms FROM outbox ORDER BY id LIMIT $1) "
      "WHERE id <= $2 OR id <= $3 OR created_ms < $4)",
      {limit, read->integer(0), last->integer(0) - kMaxRows, to_stored(oldest)});
}

void Outbox::wake() {
  const std::lock_guard lock(mutex_);
  if (listener_) listener_();
}

void Outbox::set_listener(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace andon::control
