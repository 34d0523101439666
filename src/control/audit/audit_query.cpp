// SPDX-License-Identifier: Apache-2.0
// How the log is read.
#include <algorithm>

#include "base/error/error.hpp"
#include "control/audit/audit_log.hpp"
#include "control/shared/sql_text.hpp"
#include "store/sql/where.hpp"

namespace andon::control {
namespace {

using store::SqlValue;
using store::Where;

// What one page looks at before it answers with what it has.
constexpr std::int64_t kLookedAt = 10'000;
constexpr std::size_t kPageBytes = 4U << 20U;

// What an index leads to: resource, name or operation, with times; times alone; or sequences.
std::string found_by(const AuditRead& wanted, Where& where) {
  const AuditFilter& filter = wanted.filter;
  if (wanted.order == AuditOrder::as_they_came) {
    where.add("sequence > " + where.bind(wanted.place ? wanted.place->sequence : 0));
    return "SELECT sequence, content, hash FROM audit_entries" + where.sql + " ORDER BY sequence";
  }
  const bool is_resource = !filter.resource.empty();
  if (is_resource) {
    where.add("r.resource = " + where.bind(filter.resource));
  } else if (!filter.operation.empty()) {
    where.add("operation = " + where.bind(filter.operation));
  }
  const std::string time = is_resource ? "r.time_ms" : "time_ms";
  const std::string sequence = is_resource ? "r.sequence" : "sequence";
  where.add(time + " >= " + where.bind(filter.from_ms));
  const std::int64_t until =
      wanted.place ? std::min(filter.until_ms - 1, wanted.place->time_ms) : filter.until_ms - 1;
  where.add(time + " <= " + where.bind(until));
  if (wanted.place) {
    const std::string at = where.bind(wanted.place->time_ms);
    where.add("(" + time + " < " + at + " OR (" + time + " = " + at + " AND " + sequence + " < " +
              where.bind(wanted.place->sequence) + "))");
  }
  const std::string order = " ORDER BY " + time + " DESC, " + sequence + " DESC";
  if (is_resource) {
    return "SELECT e.sequence, e.content, e.hash FROM audit_resources r "
           "CROSS JOIN audit_entries e ON e.sequence = r.sequence" +
           where.sql + order;
  }
  return "SELECT sequence, content, hash FROM audit_entries" + where.sql + order;
}

AuditEntry entry_of(const store::Row& row) {
  return {.sequence = row.integer(0),
          .event = read_content(row.text(1)),
          .content = row.text(1),
          .hash = row.text(2)};
}

// Of what no index has led to.
bool fits(const AuditFilter& filter, const AuditEvent& event) {
  const std::int64_t time = to_stored(event.time);
  const auto is = [](const std::string& wanted, const std::string& text) {
    return wanted.empty() || wanted == text;
  };
  return time >= filter.from_ms && time < filter.until_ms &&
         (filter.who.empty() || filter.who == event.name || filter.who == event.principal ||
          filter.who == event.principal_arn || filter.who == event.session) &&
         is(filter.service, event.service) && is(filter.operation, event.operation) &&
         is(filter.access_key_id, event.access_key_id) &&
         (filter.resource.empty() ||
          std::ranges::find(event.resources, filter.resource) != event.resources.end()) &&
         (!filter.outcome || *filter.outcome == event.outcome) &&
         (!filter.access || *filter.access == event.access);
}

}  // namespace

AuditPage AuditLog::list(const AuditRead& wanted) const {
  return database_.read([&](store::Transaction& tx) {
    Where where;
    const std::string sql = found_by(wanted, where);
    AuditPage page;
    std::size_t bytes = 0;
    std::int64_t looked_at = 0;
    constexpr std::int64_t kStep = 500;
    // In steps, so that a page that is full soon has not read what it does not need.
    while (looked_at < kLookedAt) {
      std::vector<SqlValue> values = where.values;
      values.emplace_back(kStep);
      values.emplace_back(looked_at);
      const auto rows = tx.query(sql + " LIMIT $" + std::to_string(values.size() - 1) +
                                     " OFFSET $" + std::to_string(values.size()),
                                 values);
      for (const store::Row& row : rows) {
        AuditEntry entry = entry_of(row);
        ++looked_at;
        page.next = AuditPlace{to_stored(entry.event.time), entry.sequence};
        if (!fits(wanted.filter, entry.event)) continue;
        bytes += entry.content.size();
        page.entries.push_back(std::move(entry));
        if (page.entries.size() == wanted.limit || bytes > kPageBytes) return page;
      }
      if (std::ssize(rows) < kStep) {
        page.next.reset();
        return page;
      }
    }
    return page;
  });
}

std::optional<AuditEntry> AuditLog::find(std::int64_t sequence) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<AuditEntry> {
    const auto row = tx.query_one(
        "SELECT sequence, content, hash FROM audit_entries WHERE sequence = $1", {sequence});
    if (!row) return std::nullopt;
    return entry_of(*row);
  });
}

std::optional<KeyUse> AuditLog::last_use(const std::string& access_key_id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<KeyUse> {
    const auto row = tx.query_one(
        "SELECT time_ms, service, region FROM access_key_uses WHERE key_id = $1", {access_key_id});
    if (!row) return std::nullopt;
    return KeyUse{stored_time(row->integer(0)), row->text(1), row->text(2)};
  });
}

AuditHead AuditLog::head() const {
  return database_.read([&](store::Transaction& tx) { return load_head(tx, options_.key); });
}

}  // namespace andon::control
