// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/awaited_results.hpp"

#include <algorithm>

#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr const char* kSetting = "result_consumers";
// What `stored_by` may grow to before any server has said whose word counts.
constexpr std::size_t kMostNames = 600;

// Names between commas, with one before the first and one behind the last.
bool has_name(const std::string& names, const std::string& name) {
  return names.find("," + name + ",") != std::string::npos;
}

bool satisfies(const std::string& stored_by, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted,
                             [&](const std::string& name) { return has_name(stored_by, name); });
}

void remove(store::Transaction& transaction, std::int64_t id, std::int64_t bytes,
            RemovedRows& removed) {
  transaction.execute("DELETE FROM spool WHERE id = $1", {id});
  removed.ids.push_back(id);
  removed.bytes += static_cast<std::uint64_t>(bytes);
}

}  // namespace

ResultConsumers read_result_consumers(store::Transaction& transaction) {
  const auto row =
      transaction.query_one("SELECT value FROM settings WHERE name = $1", {std::string(kSetting)});
  if (!row) return std::nullopt;
  const json::value value = base::parse_json(row->text(0), kSetting);
  return base::JsonReader(value, kSetting).strings("names");
}

void write_result_consumers(store::Transaction& transaction, const ResultConsumers& consumers) {
  json::array names;
  if (consumers) names = json::array(consumers->begin(), consumers->end());
  transaction.execute(
      "INSERT INTO settings (name, value) VALUES ($1, $2) "
      "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {std::string(kSetting), base::to_text(json::object{{"names", std::move(names)}})});
}

RemovedRows note_stored(store::Transaction& transaction, const std::string& consumer,
                        const std::vector<std::string>& digests, const ResultConsumers& wanted) {
  RemovedRows removed;
  for (const std::string& digest : digests) {
    for (const store::Row& row : transaction.query(
             "SELECT id, stored_by, bytes FROM spool WHERE digest = $1 AND delivered_ms IS NULL",
             {digest})) {
      std::string stored_by = row.text(1);
      if (has_name(stored_by, consumer) || stored_by.size() > kMostNames) continue;
      stored_by += (stored_by.empty() ? "," : "") + consumer + ",";
      if (wanted && satisfies(stored_by, *wanted)) {
        remove(transaction, row.integer(0), row.integer(2), removed);
      } else {
        transaction.execute("UPDATE spool SET stored_by = $1 WHERE id = $2",
                            {stored_by, row.integer(0)});
      }
    }
  }
  return removed;
}

RemovedRows remove_satisfied(store::Transaction& transaction, const ResultConsumers& wanted) {
  RemovedRows removed;
  if (!wanted) return removed;
  for (const store::Row& row : transaction.query(
           "SELECT id, stored_by, bytes FROM spool WHERE sent_ms IS NOT NULL ORDER BY id")) {
    if (!satisfies(row.text(1), *wanted)) continue;
    remove(transaction, row.integer(0), row.integer(2), removed);
  }
  return removed;
}

Stale send_stale_again(store::Transaction& transaction, std::int64_t sent_before, std::int64_t now,
                       std::int64_t most) {
  Stale stale;
  for (const store::Row& row : transaction.query(
           "SELECT id FROM spool WHERE sent_ms IS NOT NULL AND (sent_ms <= $1 OR sent_ms > $2) "
           "ORDER BY id LIMIT $3",
           {sent_before, now, most})) {
    stale.ids.push_back(row.integer(0));
  }
  for (const std::int64_t id : stale.ids) {
    transaction.execute("UPDATE spool SET sent_ms = NULL WHERE id = $1", {id});
  }
  stale.has_more =
      !stale.ids.empty() ||
      transaction.query_one("SELECT 1 FROM spool WHERE sent_ms IS NOT NULL LIMIT 1").has_value();
  return stale;
}

}  // namespace andon::edge
